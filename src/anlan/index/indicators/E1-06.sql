-- E1-06 食品安全问题重复发生率 / Food problems that came back
-- 本月立案的食品安全事项中，此前 180 天内同一处已有的 ÷ 全部有效的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.repeat) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.repeat) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.registered_date BETWEEN $first AND $last AND c.topic_root = 'food_safety' AND c.valid
GROUP BY t.path
