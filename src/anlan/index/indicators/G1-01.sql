-- G1-01 网络安全事件数 / Network security incidents
-- 近十二个月通报的网络安全事件。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(s.value) AS numerator, NULL AS denominator, sum(s.value) AS value
FROM tree t JOIN statistics s ON starts_with(s.area_path, t.path)
WHERE s.figure = '网络安全事件数' AND s.current AND s.period_date BETWEEN $first - INTERVAL 11 MONTH AND $last
GROUP BY t.path
