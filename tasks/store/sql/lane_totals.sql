-- Every lane with what waits in it: the folded sums and the unfolded changes.
WITH $changes, unfolded AS (
    SELECT lane, sum(jobs) AS jobs, sum(seconds) AS seconds FROM changes GROUP BY lane
)
SELECT lanes.lane, lanes.weight, lines.jobs + coalesce(unfolded.jobs, 0) AS jobs,
    lines.seconds + coalesce(unfolded.seconds, 0) AS seconds, lines.inflow, lines.calibration,
    lines.meter -> 'work' AS work
FROM lanes JOIN lines USING (lane) LEFT JOIN unfolded USING (lane)
