-- A2-15 办理结果群众满意率 / Satisfaction with what was done
-- 本月结案并联系上的回访中，满意和基本满意的 ÷ 联系上的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.satisfaction <> 'dissatisfied') AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.satisfaction <> 'dissatisfied') / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.closed_date BETWEEN $first AND $last AND c.valid AND c.satisfaction IN ('satisfied', 'fairly', 'dissatisfied')
GROUP BY t.path
