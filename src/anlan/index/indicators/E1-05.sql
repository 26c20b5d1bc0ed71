-- E1-05 食品安全反映立案用时中位数 / Median minutes to register a food matter
-- 本月立案的食品安全事项，从上报到立案的分钟数的中位数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, quantile_cont(c.minutes_to_register, 0.5) AS numerator, NULL AS denominator, quantile_cont(c.minutes_to_register, 0.5) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.registered_date BETWEEN $first AND $last AND c.topic_root = 'food_safety' AND c.valid AND c.minutes_to_register IS NOT NULL
GROUP BY t.path
