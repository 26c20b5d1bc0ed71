-- H2-04 特种设备事故数 / Special-equipment accidents
-- 近十二个月发生的锅炉、电梯、起重等特种设备事故。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(s.value) AS numerator, NULL AS denominator, sum(s.value) AS value
FROM tree t JOIN statistics s ON starts_with(s.area_path, t.path)
WHERE s.figure = '特种设备事故数' AND s.current AND s.period_date BETWEEN $first - INTERVAL 11 MONTH AND $last
GROUP BY t.path
