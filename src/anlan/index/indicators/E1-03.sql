-- E1-03 食品安全事项按期处置率 / Food matters handled in time
-- 处置期限在本月的食品安全事项中按期处置的 ÷ 全部到期的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.handled_in_time) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.handled_in_time) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.due_date BETWEEN $first AND $last AND c.topic_root = 'food_safety' AND c.valid
GROUP BY t.path
