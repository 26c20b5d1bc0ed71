-- H4-02 市容设施事项按期处置率 / City facilities handled in time
-- 处置期限在本月的市容和公用设施事项（垃圾、井盖、路灯等）中按期处置的 ÷ 全部到期的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE coalesce(c.handled_in_time, false)) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE coalesce(c.handled_in_time, false)) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.due_date BETWEEN $first AND $last AND c.topic_root = 'city_environment' AND c.valid
GROUP BY t.path
