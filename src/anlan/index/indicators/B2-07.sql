-- B2-07 街面秩序问题平均处置用时 / Average minutes to handle street disorder
-- 本月处置的占道经营等街面秩序问题，从上报到处置的平均分钟数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(c.minutes_to_handle) AS numerator, count(c.minutes_to_handle) AS denominator, avg(c.minutes_to_handle) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.handled_date BETWEEN $first AND $last AND c.topic = 'street_order' AND c.valid AND c.minutes_to_handle IS NOT NULL
GROUP BY t.path
