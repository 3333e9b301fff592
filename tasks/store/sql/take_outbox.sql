-- Take rows out of the outbox, and count the workers to notify. Nobody waits for the disk: after a
-- crash that undoes it, the same tickets are sent again, which is harmless.
WITH taken AS (
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ) RETURNING id
)
SELECT count(*) AS jobs, (
    SELECT count(*) FROM workers WHERE seen_at > now() - make_interval(secs => :seconds)
) AS workers, set_config('synchronous_commit', 'off', true) FROM taken
