-- What lies ahead of queued jobs: whole pages, the rest of their own page, unfolded changes.
WITH mine AS MATERIALIZED (
    SELECT jobs.id, lane, start_tag, created_at, profile, cost_seconds,
        greatest(0, start_tag - virtual
        - :ageing * greatest(0, extract(epoch FROM clock_timestamp()) - virtual_at)) AS lead
    FROM atelier_each(:jobs) AS item JOIN jobs ON jobs.id = CAST(item #>> '{}' AS uuid)
        JOIN lanes USING (lane)
    WHERE state = 'queued'
), $changes, paged AS MATERIALIZED (
    SELECT mine.*, lines.lows[number] AS low, jobs_before[number] AS jobs,
        seconds_before[number] AS seconds
    FROM mine JOIN lines USING (lane), width_bucket(mine.start_tag, lines.lows) AS number
)
SELECT paged.id, paged.lane, profile, cost_seconds, lead,
    paged.jobs + inside.jobs + unfolded.jobs AS jobs,
    paged.seconds + inside.seconds + unfolded.seconds AS seconds
FROM paged CROSS JOIN LATERAL (
    SELECT count(*) AS jobs, coalesce(sum(other.cost_seconds), 0) AS seconds
    FROM jobs AS other
    WHERE other.lane = paged.lane AND other.state = 'queued' AND other.start_tag >= paged.low
        AND (other.start_tag, other.created_at) < (paged.start_tag, paged.created_at)
) AS inside CROSS JOIN LATERAL (
    SELECT coalesce(sum(changes.jobs), 0) AS jobs, coalesce(sum(changes.seconds), 0) AS seconds
    FROM changes WHERE changes.lane = paged.lane AND changes.tag < paged.low
) AS unfolded
