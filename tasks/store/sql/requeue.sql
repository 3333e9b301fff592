-- running to queued; refunds the lane and writes a row of the outbox for each job.
WITH found AS (
    SELECT id FROM jobs
    WHERE state = 'running' AND $which AND attempt < :attempts
        AND erased_at IS NULL
    FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE jobs SET state = 'queued', ready = true, lease_until = NULL, lease_owner = NULL,
        lease_token = NULL
    FROM found WHERE jobs.id = found.id
    RETURNING jobs.id, jobs.attempt, jobs.lane, jobs.cost_seconds
), refunded AS (
    INSERT INTO lane_changes (lane, seconds) SELECT lane, -cost_seconds FROM moved
), ended AS (
    UPDATE attempts SET ended_at = clock_timestamp(), outcome = :outcome, details = :reason
    FROM moved WHERE attempts.job = moved.id AND attempts.attempt = moved.attempt
), ticket AS (
    INSERT INTO outbox (created_at) SELECT now() FROM moved
)
SELECT id, pg_notify('atelier_outbox', '') FROM moved
