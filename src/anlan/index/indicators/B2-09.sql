-- B2-09 治安警情同比变化 / Change of public-order calls on last year
-- 本月治安警情比上年同月增减的百分比。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
leaf AS (
    SELECT l.path FROM tree l WHERE NOT EXISTS (FROM tree k WHERE k.path <> l.path AND starts_with(k.path, l.path))
),
told AS (  -- the month and the same month of last year / 本月与上年同月
    SELECT 'now' AS figure, area_path, value FROM statistics
    WHERE current AND figure = '治安警情数' AND period_date = $last
    UNION ALL
    SELECT 'before', area_path, value FROM statistics
    WHERE current AND figure = '治安警情数' AND period_date = last_day($last - INTERVAL 1 YEAR)
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
SELECT n.path AS area_path, n.value AS numerator, b.value AS denominator, 100.0 * (n.value - b.value) / b.value AS value
FROM given n JOIN given b USING (path)
WHERE n.figure = 'now' AND b.figure = 'before' AND b.value <> 0
