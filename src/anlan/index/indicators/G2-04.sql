-- G2-04 群众上报办理满意率 / Residents satisfied with the answer
-- 本月结案的群众上报事项，联系上的回访中满意和基本满意的 ÷ 联系上的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.satisfaction IN ('satisfied', 'fairly')) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.satisfaction IN ('satisfied', 'fairly')) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.closed_date BETWEEN $first AND $last AND c.by_resident AND c.valid AND c.satisfaction IN ('satisfied', 'fairly', 'dissatisfied')
GROUP BY t.path
