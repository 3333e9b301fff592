-- The lease as workers of the previous version call it: one job at a time, no express lanes.
CREATE OR REPLACE FUNCTION atelier_lease(
    wanted_lanes text[], wanted_profiles text[], owner text, token uuid, seconds double precision,
    ageing double precision
) RETURNS SETOF jobs LANGUAGE plpgsql AS $body$
DECLARE
    moment double precision := extract(epoch FROM clock_timestamp());
    skipped uuid[] := '{}';
    choice record;
    root double precision;
BEGIN
    -- A lease that a crash undoes is no loss: its job is queued again, and what the worker makes of
    -- it is refused by the token. So nobody waits for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtext('atelier_lease'));
    LOOP
        -- One probe of the index for each lane and profile. Without the order a plan may read all.
        SELECT lanes.lane, lanes.start, lanes.weight, head.id, head.start_tag, head.cost_seconds,
            array_agg(lanes.lane) OVER () AS busy
        INTO choice
        FROM lanes CROSS JOIN LATERAL (
            SELECT first.* FROM unnest(wanted_profiles) AS wanted(profile) CROSS JOIN LATERAL (
                SELECT id, start_tag, created_at, cost_seconds FROM jobs
                WHERE lane = lanes.lane AND profile = wanted.profile AND state = 'queued' AND ready
                    AND id <> ALL (skipped)
                ORDER BY start_tag, created_at LIMIT 1
            ) AS first ORDER BY first.start_tag, first.created_at LIMIT 1
        ) AS head
        ORDER BY lanes.lane <> ALL (wanted_lanes), lanes.start, lanes.weight DESC, lanes.lane
        LIMIT 1;
        IF NOT FOUND OR choice.lane <> ALL (wanted_lanes) THEN
            RETURN;
        END IF;
        PERFORM FROM jobs WHERE id = choice.id AND state = 'queued' AND ready
            FOR UPDATE SKIP LOCKED;
        EXIT WHEN FOUND;
        skipped := skipped || choice.id;  -- somebody is cancelling it at this moment
    END LOOP;
    -- A lane with nothing ready comes back at the root's virtual time.
    SELECT greatest(lanes.start, choice.start) INTO root FROM lanes WHERE lanes.lane = 'root';
    UPDATE lanes SET start = root
    WHERE lanes.start < root AND lanes.lane <> 'root' AND lanes.lane <> ALL (choice.busy);
    UPDATE lanes SET
        start = CASE lanes.lane WHEN 'root' THEN root
            ELSE lanes.start + choice.cost_seconds / lanes.weight END,
        virtual = CASE lanes.lane WHEN 'root' THEN 0 ELSE greatest(
            choice.start_tag, lanes.virtual + ageing * greatest(0, moment - lanes.virtual_at)) END,
        virtual_at = moment
    WHERE lanes.lane IN ('root', choice.lane);
    RETURN QUERY
        WITH moved AS (
            UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_owner = owner,
                lease_token = token, lease_until = now() + make_interval(secs => seconds),
                started_at = coalesce(started_at, clock_timestamp())
            WHERE id = choice.id RETURNING jobs.*
        ), begun AS (
            INSERT INTO attempts (job, attempt, worker) SELECT moved.id, moved.attempt, owner
            FROM moved
        )
        SELECT * FROM moved;
END
$body$
