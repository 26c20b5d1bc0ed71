-- G2-03 群众上报定位率 / Residents' reports with a place
-- 本月群众上报中有坐标或属于某个场所的 ÷ 全部群众上报：说得清在哪里，才派得出去。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE r.located) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE r.located) / count(*) AS value
FROM tree t JOIN reports r ON starts_with(r.area_path, t.path)
WHERE r.told_date BETWEEN $first AND $last AND r.by_resident
GROUP BY t.path
