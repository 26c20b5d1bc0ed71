-- D1-03 火灾隐患整改率 / Fire hazards cured
-- 处置期限在本月的消防类事项中已经处置的 ÷ 全部到期的；超期后才处置的也算已改。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.handled_date IS NOT NULL) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.handled_date IS NOT NULL) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.due_date BETWEEN $first AND $last AND c.topic_root = 'fire' AND c.valid
GROUP BY t.path
