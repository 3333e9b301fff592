-- Every lane with what waits in it, the folded sums and the unfolded changes, and what runs.
WITH $changes, unfolded AS (
    SELECT lane, sum(jobs) AS jobs, sum(seconds) AS seconds FROM changes GROUP BY lane
), running AS (
    SELECT lane, count(*) AS jobs, sum(cost_seconds) AS seconds FROM jobs WHERE state = 'running'
    GROUP BY lane
)
SELECT lanes.lane, lanes.weight, lines.jobs + coalesce(unfolded.jobs, 0) AS jobs,
    lines.seconds + coalesce(unfolded.seconds, 0) AS seconds, lines.inflow, lines.calibration,
    lines.meter -> 'work' AS work, coalesce(running.jobs, 0) AS running,
    coalesce(running.seconds, 0) AS running_seconds
FROM lanes JOIN lines USING (lane) LEFT JOIN unfolded USING (lane) LEFT JOIN running USING (lane)
