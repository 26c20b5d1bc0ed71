-- A2-01 四级信访走访总量 / Visits to petition offices at four levels
-- 到国家、省、市、县四级走访的信访件次；只列出，不计分。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
leaf AS (
    SELECT l.path FROM tree l WHERE NOT EXISTS (FROM tree k WHERE k.path <> l.path AND starts_with(k.path, l.path))
),
told AS (  -- the latest figure that is not too old / 最近一期、没有过期的数
    SELECT figure, area_path, arg_max(value, period_date) AS value
    FROM statistics
    WHERE current AND ((figure = '四级信访走访总量' AND date_diff('month', period_date, $last) BETWEEN 0 AND 0))
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
SELECT path AS area_path, value AS numerator, NULL AS denominator, value
FROM given
