-- A job ends without a result: voids its hold and queues the delivery that notifies its member.
WITH found AS (
    SELECT id, ready, state FROM jobs
    WHERE id = :job AND state = ANY(:states) $guard
    FOR UPDATE
), moved AS (
    UPDATE jobs SET state = :to, reason = :reason, ended_at = clock_timestamp(),
        lease_until = NULL, cancelling = NULL
    FROM found WHERE jobs.id = found.id
    RETURNING jobs.id, jobs.platform, jobs.lane, jobs.flow, jobs.attempt, jobs.cost_seconds,
        jobs.invitation, found.ready, found.state AS before
), voided AS (
    INSERT INTO ledger (job, kind, member_key, pool, credits, relaxed)
    SELECT ledger.job, 'void', ledger.member_key, ledger.pool, ledger.credits, ledger.relaxed
    FROM moved JOIN ledger ON ledger.job = moved.id AND ledger.kind = 'hold'
), ended AS (
    UPDATE attempts SET ended_at = clock_timestamp(), outcome = :to, details = :reason
    FROM moved WHERE attempts.job = moved.id AND attempts.attempt = moved.attempt
        AND attempts.ended_at IS NULL
), notified AS (
    INSERT INTO deliveries (job, platform, state)
    SELECT id, platform, 'pending' FROM moved
    ON CONFLICT (job) DO UPDATE SET state = :delivery_state, owner = NULL, owner_until = NULL
), invited AS ($restore_invitation)
SELECT lane, flow, cost_seconds, ready, before FROM moved
