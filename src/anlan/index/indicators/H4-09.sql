-- H4-09 市容事项主动发现率 / Street matters found by ourselves
-- 本年初以来的市容和公用设施事项中，不是群众上报、而是网格和部门自己发现的 ÷ 全部。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE NOT c.by_resident) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE NOT c.by_resident) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.opened_date BETWEEN date_trunc('year', $last) AND $last AND c.topic_root = 'city_environment'
GROUP BY t.path
