-- D1-08 万人超期未改消防隐患存量 / Overdue fire hazards per 10,000
-- 月末仍未处置、处置期限已到的消防类事项 ÷ 常住人口（万人）。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
leaf AS (
    SELECT l.path FROM tree l WHERE NOT EXISTS (FROM tree k WHERE k.path <> l.path AND starts_with(k.path, l.path))
),
told AS (  -- the latest figure that is not too old / 最近一期、没有过期的数
    SELECT figure, area_path, arg_max(value, period_date) AS value
    FROM statistics
    WHERE current AND ((figure = '常住人口' AND date_diff('month', period_date, $last) BETWEEN 0 AND 24))
    GROUP BY figure, area_path
),
given AS (  -- told for the area, else the sum of what is told below, if nothing is lacking / 本级有数用本级，否则下级齐全时相加
    SELECT t.path, d.figure, sum(d.value) AS value
    FROM tree t JOIN told d ON starts_with(d.area_path, t.path)
    WHERE NOT EXISTS (
        FROM told u WHERE u.figure = d.figure AND u.area_path <> d.area_path
            AND starts_with(d.area_path, u.area_path) AND starts_with(u.area_path, t.path)
    ) AND NOT EXISTS (
        FROM leaf l WHERE starts_with(l.path, t.path) AND NOT EXISTS (
            FROM told u WHERE u.figure = d.figure AND starts_with(l.path, u.area_path) AND starts_with(u.area_path, t.path)
        )
    )
    GROUP BY t.path, d.figure
),
open AS (  -- due by the month's end and not done by then / 月末前到期、月末仍未办的
    SELECT t.path, count(*) AS times
    FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
    WHERE c.topic_root = 'fire' AND c.valid AND c.due_date <= $last AND (c.handled_date IS NULL OR c.handled_date > $last)
    GROUP BY t.path
)
SELECT d.path AS area_path, coalesce(n.times, 0) AS numerator, d.value AS denominator,
       10000.0 * coalesce(n.times, 0) / d.value AS value
FROM given d LEFT JOIN open n USING (path)
WHERE d.value <> 0
