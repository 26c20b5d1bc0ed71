-- Valid cases opened by the last day and not closed by then, for every area that has had one.
SELECT
    area.path AS area_path,
    count(*) FILTER (WHERE one.closed_date IS NULL OR one.closed_date > $last)::DOUBLE AS numerator,
    NULL::DOUBLE AS denominator,
    count(*) FILTER (WHERE one.closed_date IS NULL OR one.closed_date > $last)::DOUBLE AS value
FROM areas AS area
JOIN cases AS one ON starts_with(one.area_path, area.path)
WHERE one.valid AND one.opened_date <= $last AND area.valid_from <= $last
    AND (area.valid_to IS NULL OR area.valid_to > $last) AND $first IS NOT NULL
GROUP BY area.path
