-- F2-02 环境投诉办结率 / Environmental complaints closed
-- 结案期限在本月的环境类事项中已结案的 ÷ 全部到期的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.closed_date IS NOT NULL) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.closed_date IS NOT NULL) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.close_due_date BETWEEN $first AND $last AND c.topic_root = 'environment' AND c.valid
GROUP BY t.path
