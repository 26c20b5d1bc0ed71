-- B1-02 八类重大刑事案件数 / Serious crimes of the eight kinds
-- 本年初以来立案的八类重大刑事案件。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(s.value) AS numerator, NULL AS denominator, sum(s.value) AS value
FROM tree t JOIN statistics s ON starts_with(s.area_path, t.path)
WHERE s.figure = '八类重大刑事案件数' AND s.current AND s.period_date BETWEEN date_trunc('year', $last) AND $last
GROUP BY t.path
