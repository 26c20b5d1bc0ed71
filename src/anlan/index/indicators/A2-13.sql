-- A2-13 警情推送按时答复率 / Pushes answered in time
-- 已定是否按时的推送中按时答复的 ÷ 已定的推送。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE p.in_time) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE p.in_time) / count(*) AS value
FROM tree t JOIN pushes p ON starts_with(p.area_path, t.path)
WHERE p.pushed_date BETWEEN $first AND $last AND p.in_time IS NOT NULL
GROUP BY t.path
