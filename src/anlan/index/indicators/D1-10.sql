-- D1-10 火灾报警误报率 / False fire alarms
-- 本月核查过的火灾报警中误报的 ÷ 属实和误报的（测试不算）。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE a.verdict = 'false') AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE a.verdict = 'false') / count(*) AS value
FROM tree t JOIN alarms a ON starts_with(a.area_path, t.path)
WHERE a.began_date BETWEEN $first AND $last AND a.sort IN ('smoke', 'heat', 'manual', 'panel') AND a.verdict IN ('confirmed', 'false')
GROUP BY t.path
