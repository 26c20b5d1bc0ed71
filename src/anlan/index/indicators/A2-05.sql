-- A2-05 矛盾纠纷化解成功率 / Disputes settled
-- 本月结束的纠纷事项中，办成（已整改或已答复）的 ÷ 全部有效的。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
),
counted AS (
    SELECT t.path AS area_path, count(*) FILTER (WHERE c.outcome IN ('cured', 'answered')) AS numerator, count(*) AS denominator
    FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
    WHERE c.closed_date BETWEEN $first AND $last AND c.topic_root = 'dispute' AND c.valid
    GROUP BY t.path
)
SELECT area_path, numerator, denominator, 100.0 * numerator / denominator AS value
FROM counted

