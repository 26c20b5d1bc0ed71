-- F2-01 突发环境事件数 / Sudden environmental incidents
-- 本年初以来发生的突发环境事件。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(s.value) AS numerator, NULL AS denominator, sum(s.value) AS value
FROM tree t JOIN statistics s ON starts_with(s.area_path, t.path)
WHERE s.figure = '突发环境事件数' AND s.current AND s.period_date BETWEEN date_trunc('year', $last) AND $last
GROUP BY t.path
