-- Extend leases; returns those that are still held, with a request to stop if any.
WITH held AS (
    SELECT id FROM jobs
    WHERE lease_token = ANY(:tokens) AND id = ANY(:ids) AND state = 'running'
    ORDER BY id FOR UPDATE
)
UPDATE jobs SET lease_until = now() + make_interval(secs => :seconds)
FROM held WHERE jobs.id = held.id
RETURNING lease_token, cancelling
