-- G2-01 重大负面舆情数 / Major adverse stories
-- 本年初以来因本地处置失当引发的重大负面舆情；数的是事件，不数发帖的人。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(s.value) AS numerator, NULL AS denominator, sum(s.value) AS value
FROM tree t JOIN statistics s ON starts_with(s.area_path, t.path)
WHERE s.figure = '重大负面舆情数' AND s.current AND s.period_date BETWEEN date_trunc('year', $last) AND $last
GROUP BY t.path
