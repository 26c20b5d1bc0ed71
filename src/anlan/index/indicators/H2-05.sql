-- H2-05 事项挂账率 / Matters hung
-- 本月立案的有效事项中曾经挂账的 ÷ 全部有效的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.hung_ever) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.hung_ever) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.registered_date BETWEEN $first AND $last AND c.valid
GROUP BY t.path
