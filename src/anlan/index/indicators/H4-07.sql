-- H4-07 派遣环节用时中位数 / Median minutes at the dispatch desk
-- 本月的派遣操作，案件在派遣环节停留的分钟数的中位数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, quantile_cont(s.minutes_in_step, 0.5) AS numerator, NULL AS denominator, quantile_cont(s.minutes_in_step, 0.5) AS value
FROM tree t JOIN steps s ON starts_with(s.area_path, t.path)
WHERE s.at_date BETWEEN $first AND $last AND s.act = 'dispatch' AND s.minutes_in_step IS NOT NULL
GROUP BY t.path
