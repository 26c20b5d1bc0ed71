-- H4-06 全程时限按期率 / Whole course within its limit
-- 到期日在本月的事件全程时限中按期的 ÷ 已定是否按期的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.in_time) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.in_time) / count(*) AS value
FROM tree t JOIN clocks c ON starts_with(c.area_path, t.path)
WHERE c.due_date BETWEEN $first AND $last AND c.clock = 'whole' AND c.in_time IS NOT NULL
GROUP BY t.path
