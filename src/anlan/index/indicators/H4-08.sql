-- H4-08 整改照片位置相符率 / After-photos taken on the spot
-- 本月结案事项的整改后照片中，拍摄位置经核对相符的张数 ÷ 全部整改后照片张数。
WITH tree AS (
    SELECT path FROM areas WHERE valid_from <= $last AND (valid_to IS NULL OR valid_to > $last)
)
SELECT t.path AS area_path, sum(c.photos_placed) AS numerator, sum(c.photos_after) AS denominator,
       100.0 * sum(c.photos_placed) / sum(c.photos_after) AS value
FROM tree t JOIN cases c ON starts_with(c.area_path, t.path)
WHERE c.closed_date BETWEEN $first AND $last AND c.valid
GROUP BY t.path
HAVING sum(c.photos_after) <> 0
