-- B2-06 出租房隐患按期整改率 / Rental hazards cured in time
-- 整改期限在本月的出租房隐患中按期整改的 ÷ 已定是否按期的（按时限表）。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.in_time) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.in_time) / count(*) AS value
FROM tree t JOIN clocks c ON starts_with(c.area_path, t.path)
WHERE c.due_date BETWEEN $first AND $last AND c.topic_root = 'rental_safety' AND c.clock = 'rectify' AND c.in_time IS NOT NULL
GROUP BY t.path
