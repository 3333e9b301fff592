-- Flows whose counts are not those of their jobs.
WITH counted AS (
    SELECT lane, flow,
        count(*) FILTER (WHERE state = 'running' OR ready) AS opened,
        count(*) FILTER (WHERE state = 'queued' AND NOT ready) AS behind
    FROM jobs WHERE state IN ('queued', 'running') GROUP BY lane, flow
)
SELECT flows.lane, flows.flow FROM flows LEFT JOIN counted USING (lane, flow)
WHERE (flows.opened, flows.behind) <> (coalesce(counted.opened, 0), coalesce(counted.behind, 0))
