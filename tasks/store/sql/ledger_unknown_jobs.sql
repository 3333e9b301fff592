-- One page of ledger entries by id: those whose job does not exist, and the last id of the page.
WITH page AS MATERIALIZED (
    SELECT id, job, kind FROM ledger WHERE id > :after ORDER BY id LIMIT :limit
), page_end AS (
    SELECT max(id) AS last FROM page HAVING max(id) IS NOT NULL
)
SELECT page_end.last, unknown.job, unknown.kind FROM page_end LEFT JOIN (
    SELECT page.job, page.kind FROM page WHERE job IS NOT NULL
        AND NOT EXISTS (SELECT FROM jobs WHERE jobs.id = page.job)
) AS unknown ON true
