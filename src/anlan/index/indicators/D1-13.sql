-- D1-13 消防隐患逾期场所占比 / Sites with an overdue fire hazard
-- 本月有消防隐患到期而没有按期处置的场所（一处只算一次）÷ 在用场所。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
late AS (
    SELECT t.path, count(DISTINCT c.site) AS sites
    FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
    WHERE c.due_date BETWEEN $first AND $last AND c.topic_root = 'fire' AND c.valid AND c.site <> ''
      AND c.handled_in_time IS DISTINCT FROM true
    GROUP BY t.path
)
SELECT t.path AS area_path, coalesce(any_value(n.sites), 0) AS numerator, count(*) AS denominator,
       100.0 * coalesce(any_value(n.sites), 0) / count(*) AS value
FROM tree t JOIN sites s ON starts_with(s.area_path, t.path) LEFT JOIN late n USING (path)
WHERE s.active
GROUP BY t.path
