-- One page of jobs by id: those whose ledger entries do not add up, and the last one of the page.
WITH page AS MATERIALIZED (
    SELECT id, state, cost FROM jobs WHERE id > :after ORDER BY id LIMIT :limit
), counted AS (
    SELECT page.id, page.state, page.cost, entries.*,
        page.id = (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS is_last
    FROM page CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE kind = 'hold') AS holds,
            count(*) FILTER (WHERE kind = 'capture') AS captures,
            count(*) FILTER (WHERE kind = 'void') AS voids,
            max(credits) FILTER (WHERE kind = 'hold') AS held,
            max(credits) FILTER (WHERE kind IN ('capture', 'void')) AS settled
        FROM ledger WHERE ledger.job = page.id
    ) AS entries
), judged AS (
    SELECT *, holds <> 1 OR held IS DISTINCT FROM cost OR CASE state
        WHEN 'done' THEN captures <> 1 OR voids <> 0 OR settled <> held
        WHEN 'queued' THEN captures + voids <> 0
        WHEN 'running' THEN captures + voids <> 0
        WHEN 'delivering' THEN captures + voids <> 0
        ELSE captures <> 0 OR voids <> 1 OR settled <> held
    END AS faulty FROM counted
)
SELECT * FROM judged WHERE faulty OR is_last ORDER BY id
