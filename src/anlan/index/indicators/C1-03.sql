-- C1-03 经营场所事项按期结案率 / Matters at business premises closed in time
-- 结案期限在本月、发生在店铺、市场、餐馆、旅馆、工厂、仓库的事项中按期结案的 ÷ 全部到期的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.closed_in_time) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.closed_in_time) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.close_due_date BETWEEN $first AND $last AND c.valid AND c.site_kind IN ('shopfront', 'market', 'restaurant', 'hotel', 'factory', 'warehouse')
GROUP BY t.path
