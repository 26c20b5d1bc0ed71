-- D3-07 企业隐患按期整改率 / Enterprise hazards cured in time
-- 整改期限在本月的企业安全隐患中按期整改的 ÷ 全部到期的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE coalesce(c.handled_in_time, false)) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE coalesce(c.handled_in_time, false)) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.due_date BETWEEN $first AND $last AND c.topic = 'enterprise_hazard' AND c.valid
GROUP BY t.path
