-- delivering to done, for several jobs at once; captures their holds.
WITH given AS MATERIALIZED (
    SELECT g.* FROM atelier_each(:posted) AS item,
        jsonb_to_record(item) AS g(job uuid, token uuid, message text)
), sent AS (
    UPDATE deliveries SET state = 'sent', sent_at = clock_timestamp(), message = given.message,
        owner = NULL, owner_until = NULL, error = NULL
    FROM given
    WHERE deliveries.job = given.job AND state = 'pending' AND owner = given.token
    RETURNING deliveries.job, given.token
), moved AS (
    UPDATE jobs SET state = 'done', ended_at = clock_timestamp()
    FROM sent WHERE jobs.id = sent.job AND jobs.state = 'delivering'
    RETURNING jobs.id
), captured AS (
    INSERT INTO ledger (job, kind, member_key, pool, credits, relaxed)
    SELECT ledger.job, 'capture', ledger.member_key, ledger.pool, ledger.credits, ledger.relaxed
    FROM moved JOIN ledger ON ledger.job = moved.id AND ledger.kind = 'hold'
)
SELECT token FROM sent
UNION ALL
SELECT token FROM given JOIN deliveries ON deliveries.job = given.job
WHERE deliveries.state = 'sent' AND deliveries.message = given.message
