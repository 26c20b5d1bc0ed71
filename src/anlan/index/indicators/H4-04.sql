-- H4-04 百次派遣退回数 / Returns per hundred dispatches
-- 本月部门退回的次数 ÷ 本月派遣（含责令、交办）的次数（百次）。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
sent AS (
    SELECT t.path, count(*) AS times
    FROM tree t JOIN steps s ON starts_with(s.area_path, t.path)
    WHERE s.at_date BETWEEN $first AND $last AND s.act IN ('dispatch', 'order', 'assign')
    GROUP BY t.path
),
back AS (
    SELECT t.path, count(*) AS times
    FROM tree t JOIN returns r ON starts_with(r.area_path, t.path)
    WHERE r.at_date BETWEEN $first AND $last
    GROUP BY t.path
)
SELECT d.path AS area_path, coalesce(n.times, 0) AS numerator, d.times AS denominator,
       100.0 * coalesce(n.times, 0) / d.times AS value
FROM sent d LEFT JOIN back n USING (path)
