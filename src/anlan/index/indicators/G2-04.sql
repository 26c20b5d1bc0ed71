-- G2-04 群众上报办理满意率 / Residents satisfied with the answer
-- 本月结案的群众上报事项中，评价满意或基本满意、也没有要求重新办理的 ÷ 有评价或要求过重新办理的。
-- Below 5 a share is too small to stand by itself: it is drawn towards the county's (IoD 2019, appendix D).
-- 不足 5 件的不单独成率，向所在县的率收缩（英格兰贫困指数 2019 技术报告附录 D）。
WITH tree AS (
    SELECT path, level FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
counted AS (
    SELECT t.path, t.level, count(*) FILTER (WHERE c.satisfaction IN ('satisfied', 'fairly') AND NOT c.reopened) AS r, count(*) AS n
    FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
    WHERE c.closed_date BETWEEN $first AND $last AND (c.by_resident AND c.valid AND (c.satisfaction IN ('satisfied', 'fairly', 'dissatisfied') OR c.reopened))
    GROUP BY t.path, t.level
),
logits AS (  -- m = ln((r+.5)/(n-r+.5)), s2 its variance
    SELECT *, ln((r + 0.5) / (n - r + 0.5)) AS m, (n + 1.0) * (n + 2) / (n * (r + 1.0) * (n - r + 1)) AS s2 FROM counted
),
drawn AS (  -- t2 = the spread of a county's areas of one level around the county's own m
    SELECT o.path, o.m, o.s2, c.m AS whole,
           coalesce(sum((o.m - c.m) ** 2) OVER alike / nullif(count(*) OVER alike - 1, 0), 0) AS t2
    FROM logits o JOIN logits c ON c.level = 'county' AND starts_with(o.path, c.path) AND o.path <> c.path
    WINDOW alike AS (PARTITION BY c.path, o.level)
),
weighed AS (  -- w = (1/s2) / (1/s2 + 1/t2), nothing where the areas do not differ at all
    SELECT *, t2 / (s2 + t2) AS w FROM drawn
)
SELECT n.path AS area_path, n.r AS numerator, n.n AS denominator,
       CASE WHEN n.n >= 5 THEN 100.0 * n.r / n.n ELSE 100.0 / (1 + exp(-(d.w * d.m + (1 - d.w) * d.whole))) END AS value
FROM counted n LEFT JOIN weighed d USING (path)
WHERE n.n >= 5 OR d.path IS NOT NULL

