-- D1-11 重点场所报警设备安装率 / Places at risk fitted with a detector
-- 在用的出租房、老旧小区、高层、旅馆、学校中装有在用设备的 ÷ 全部（按现在的名册）。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE s.fitted) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE s.fitted) / count(*) AS value
FROM tree t JOIN sites s ON starts_with(s.area_path, t.path)
WHERE s.active AND s.kind IN ('rental_house', 'old_estate', 'high_rise', 'hotel', 'school')
GROUP BY t.path
