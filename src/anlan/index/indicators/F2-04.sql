-- F2-04 环境事项办结用时九成位 / Nine tenths of environmental matters end within
-- 本月结案的环境类事项，从上报到结案的日历日的 0.9 分位数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, quantile_cont(c.days_to_close, 0.9) AS numerator, NULL AS denominator, quantile_cont(c.days_to_close, 0.9) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.closed_date BETWEEN $first AND $last AND c.topic_root = 'environment' AND c.valid AND c.days_to_close IS NOT NULL
GROUP BY t.path
