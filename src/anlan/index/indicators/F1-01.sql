-- F1-01 生态环境状况指数 / Ecological index
-- 按生态环境状况评价技术规范算出的指数（EI），每年一次；不能由下级相加。
SELECT area_path, arg_max(value, period_date) AS numerator, NULL AS denominator, arg_max(value, period_date) AS value
FROM statistics
WHERE current AND figure = '生态环境状况指数' AND date_diff('month', period_date, $last) BETWEEN 0 AND 24
GROUP BY area_path
