-- D3-08 企业隐患整改返工率 / Enterprise hazards done twice
-- 本月结束的企业安全隐患中返工过的 ÷ 全部有效的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.reworks > 0) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.reworks > 0) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.closed_date BETWEEN $first AND $last AND c.topic = 'enterprise_hazard' AND c.valid
GROUP BY t.path
