-- Take rows out of the outbox, and count the workers to notify.
WITH taken AS (
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ) RETURNING id
)
SELECT count(*) AS jobs, (
    SELECT count(*) FROM workers WHERE seen_at > now() - make_interval(secs => :seconds)
) AS workers FROM taken
