-- F2-06 近三十日环境事项当日派遣率 / Environmental matters dispatched the same day
-- 截至月末 30 天内派遣的环境类事项中，上报后 480 分钟内派遣的 ÷ 全部。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path,
       count(*) FILTER (WHERE c.minutes_to_dispatch <= 480) AS numerator,
       count(*) AS denominator,
       100.0 * count(*) FILTER (WHERE c.minutes_to_dispatch <= 480) / count(*) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.dispatched_date BETWEEN $last - 29 AND $last AND c.topic_root = 'environment'
GROUP BY t.path
