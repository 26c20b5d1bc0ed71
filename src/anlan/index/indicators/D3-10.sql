-- D3-10 工地隐患办结用时中位数 / Median days to close a construction matter
-- 本月结案的建设工地事项，从上报到结案的日历日的中位数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, quantile_cont(c.days_to_close, 0.5) AS numerator, NULL AS denominator, quantile_cont(c.days_to_close, 0.5) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.closed_date BETWEEN $first AND $last AND c.topic_root = 'construction_site' AND c.valid AND c.days_to_close IS NOT NULL
GROUP BY t.path
