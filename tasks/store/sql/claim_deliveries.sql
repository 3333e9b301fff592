-- Claim deliveries that are due. Claims whose owner died are due again.
WITH due AS (
    SELECT job FROM deliveries
    WHERE state = 'pending' AND next_try <= now() AND (owner IS NULL OR owner_until < now())
        AND platform = ANY(:platforms)
    ORDER BY next_try LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE deliveries SET owner = gen_random_uuid(), tries = tries + 1,
    owner_until = now() + make_interval(secs => :seconds)
FROM due WHERE deliveries.job = due.job
RETURNING deliveries.job, owner, tries, memory
