-- Extend claims. A row that is locked at this moment is extended the next time.
WITH held AS (
    SELECT job FROM deliveries WHERE owner = ANY(:tokens) AND state = 'pending'
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries SET owner_until = now() + make_interval(secs => :seconds)
FROM held WHERE deliveries.job = held.job
