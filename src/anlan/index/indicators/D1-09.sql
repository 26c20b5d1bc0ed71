-- D1-09 火灾报警核实用时中位数 / Median minutes to verify a fire alarm
-- 本月感烟、感温、手动报警等火灾报警，从报警到有核查结论的分钟数的中位数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, quantile_cont(a.minutes_to_verdict, 0.5) AS numerator, NULL AS denominator, quantile_cont(a.minutes_to_verdict, 0.5) AS value
FROM tree t JOIN alarms a ON starts_with(a.area_path, t.path)
WHERE a.began_date BETWEEN $first AND $last AND a.sort IN ('smoke', 'heat', 'manual', 'panel') AND a.verdict IN ('confirmed', 'false') AND a.minutes_to_verdict IS NOT NULL
GROUP BY t.path
