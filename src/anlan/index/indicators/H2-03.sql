-- H2-03 燃气报警三十分钟核实率 / Gas alarms verified within thirty minutes
-- 本月核查过的可燃气体报警中，30 分钟内有结论的 ÷ 全部核查过的（测试不算）。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE a.minutes_to_verdict <= 30) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE a.minutes_to_verdict <= 30) / count(*) AS value
FROM tree t JOIN alarms a ON starts_with(a.area_path, t.path)
WHERE a.began_date BETWEEN $first AND $last AND a.sort = 'gas' AND a.verdict IN ('confirmed', 'false')
GROUP BY t.path
HAVING count(*) >= 2  -- fewer say nothing / 再少就说明不了问题
