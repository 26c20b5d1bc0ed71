-- A2-08 重复警情率 / Repeated dispute calls
-- 纠纷警情中，30 天内同一地点或同一来电此前已报过警的 ÷ 全部纠纷警情。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.repeat) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.repeat) / count(*) AS value
FROM tree t JOIN calls c ON starts_with(c.area_path, t.path)
WHERE c.told_date BETWEEN $first AND $last AND c.is_dispute
GROUP BY t.path
