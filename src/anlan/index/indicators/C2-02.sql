-- C2-02 涉众型金融案件数 / Financial cases with many victims
-- 近十二个月立案的涉众型金融案件。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(s.value) AS numerator, NULL AS denominator, sum(s.value) AS value
FROM tree t JOIN statistics s ON starts_with(s.area_path, t.path)
WHERE s.figure = '涉众型金融案件数' AND s.current AND s.period_date BETWEEN $first - INTERVAL 11 MONTH AND $last
GROUP BY t.path
