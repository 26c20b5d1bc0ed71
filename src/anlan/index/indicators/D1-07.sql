-- D1-07 消防隐患处置用时九成位 / Nine tenths of fire hazards are fixed within
-- 截至月末 30 天内处置的消防类事项，从上报到处置的分钟数的 0.9 分位数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, quantile_cont(c.minutes_to_handle, 0.9) AS numerator, NULL AS denominator, quantile_cont(c.minutes_to_handle, 0.9) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.handled_date BETWEEN $last - 29 AND $last AND c.topic_root = 'fire' AND c.valid AND c.minutes_to_handle IS NOT NULL
GROUP BY t.path
