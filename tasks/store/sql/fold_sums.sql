-- Sums of the changes to fold, by lane and page.
SELECT changes.lane, width_bucket(changes.tag, lines.lows) - 1 AS number,
    sum(changes.jobs) AS jobs, sum(changes.seconds) AS seconds,
    coalesce(sum(changes.jobs) FILTER (WHERE changes.jobs > 0), 0) AS arrived_jobs,
    coalesce(sum(changes.seconds) FILTER (WHERE changes.jobs > 0), 0) AS arrived_seconds
FROM line_changes AS changes JOIN lines USING (lane)
WHERE changes.xid >= lines.folded AND changes.xid < :until
GROUP BY changes.lane, number
