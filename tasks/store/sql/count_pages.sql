-- A page that has grown large, counted again as smaller pages.
SELECT min(tag) AS low, sum(jobs) AS jobs, sum(seconds) AS seconds FROM (
    SELECT start_tag AS tag, 1 AS jobs, cost_seconds AS seconds,
        (rank() OVER (ORDER BY start_tag) - 1) / :page AS part
    FROM jobs WHERE lane = :lane AND state = 'queued' AND start_tag >= :low
        AND start_tag < :high
) AS counted GROUP BY part ORDER BY low
