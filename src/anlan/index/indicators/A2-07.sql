-- A2-07 疑难警情化解率 / Pushed calls resolved
-- 截至月末 30 天内，已推送的警情中已化解的 ÷ 已推送的警情。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.resolved) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.resolved) / count(*) AS value
FROM tree t JOIN calls c ON starts_with(c.area_path, t.path)
WHERE c.told_date BETWEEN $last - 29 AND $last AND c.pushed
GROUP BY t.path
