-- H4-01 城市运行事故数 / Accidents of city services
-- 本年初以来燃气、供水、电梯等城市运行事故。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(s.value) AS numerator, NULL AS denominator, sum(s.value) AS value
FROM tree t JOIN statistics s ON starts_with(s.area_path, t.path)
WHERE s.figure = '城市运行事故数' AND s.current AND s.period_date BETWEEN date_trunc('year', $last) AND $last
GROUP BY t.path
