-- B2-02 涉毒案件数 / Drug offences
-- 本年初以来查处的涉毒案件。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(s.value) AS numerator, NULL AS denominator, sum(s.value) AS value
FROM tree t JOIN statistics s ON starts_with(s.area_path, t.path)
WHERE s.figure = '涉毒案件数' AND s.current AND s.period_date BETWEEN date_trunc('year', $last) AND $last
GROUP BY t.path
