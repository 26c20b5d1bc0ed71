-- A2-12 警情推送率 / Calls pushed
-- 各条推送都有人接收的警情 ÷ 全部警情。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.pushed) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.pushed) / count(*) AS value
FROM tree t JOIN calls c ON starts_with(c.area_path, t.path)
WHERE c.told_date BETWEEN $first AND $last
GROUP BY t.path
