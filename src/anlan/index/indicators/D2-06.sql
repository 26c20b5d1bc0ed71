-- D2-06 道路事项处置用时中位数 / Median minutes to handle a road matter
-- 截至月末 30 天内处置的道路类事项，从上报到处置的分钟数的中位数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, quantile_cont(c.minutes_to_handle, 0.5) AS numerator, NULL AS denominator, quantile_cont(c.minutes_to_handle, 0.5) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.handled_date BETWEEN $last - 29 AND $last AND c.topic_root = 'road' AND c.valid AND c.minutes_to_handle IS NOT NULL
GROUP BY t.path
