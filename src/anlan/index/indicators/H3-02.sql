-- H3-02 突发公共卫生事件按时报告率 / Health emergencies reported in time
-- 按时报告的突发公共卫生事件 ÷ 应报告的；没有应报告的按最好计。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
leaf AS (
    SELECT l.path FROM tree l WHERE NOT EXISTS (FROM tree k WHERE k.path <> l.path AND starts_with(k.path, l.path))
),
told AS (  -- the latest figure that is not too old / 最近一期、没有过期的数
    SELECT figure, area_path, arg_max(value, period_date) AS value
    FROM statistics
    WHERE current AND ((figure = '突发公卫事件按时报告数' AND date_diff('month', period_date, $last) BETWEEN 0 AND 0)
       OR (figure = '突发公卫事件应报告数' AND date_diff('month', period_date, $last) BETWEEN 0 AND 0))
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
)
-- nothing due counts as best: the value at which the score is full / 没有应办的，按得满分的值计
SELECT n.path AS area_path, n.value AS numerator, d.value AS denominator, CASE WHEN d.value = 0 THEN 100 ELSE 100.0 * n.value / d.value END AS value
FROM given n JOIN given d USING (path)
WHERE n.figure = '突发公卫事件按时报告数' AND d.figure = '突发公卫事件应报告数'
