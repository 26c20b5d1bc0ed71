-- C1-04 万人经济犯罪立案数 / Economic crimes per 10,000
-- 本月合同诈骗、非法经营等经济犯罪立案 ÷ 常住人口（万人）。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
leaf AS (
    SELECT l.path FROM tree l WHERE NOT EXISTS (FROM tree k WHERE k.path <> l.path AND starts_with(k.path, l.path))
),
told AS (  -- the latest figure that is not too old / 最近一期、没有过期的数
    SELECT figure, area_path, arg_max(value, period_date) AS value
    FROM statistics
    WHERE current AND ((figure = '经济犯罪立案数' AND date_diff('month', period_date, $last) BETWEEN 0 AND 0)
       OR (figure = '常住人口' AND date_diff('month', period_date, $last) BETWEEN 0 AND 24))
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
SELECT n.path AS area_path, n.value AS numerator, d.value AS denominator, 10000.0 * n.value / d.value AS value
FROM given n JOIN given d USING (path)
WHERE n.figure = '经济犯罪立案数' AND d.figure = '常住人口' AND d.value <> 0
