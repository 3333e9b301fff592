-- running to delivering, for several jobs at once.
WITH given AS MATERIALIZED (
    SELECT g.* FROM atelier_each(:finished) AS item, jsonb_to_record(item) AS g(
        job uuid, attempt int, token uuid, claim_token uuid, claim_seconds double precision,
        gpu_seconds double precision, message_lock bigint, pictures jsonb)
), moved AS (
    UPDATE jobs SET state = 'delivering', rendered_at = clock_timestamp(), lease_until = NULL,
        cancelling = NULL
    FROM given WHERE jobs.id = given.job AND jobs.state = 'running'
        AND jobs.attempt = given.attempt AND jobs.lease_token = given.token
        AND jobs.erased_at IS NULL
    RETURNING jobs.id, jobs.attempt, platform, lane, flow, parent, request,
        request ->> 'prompt' AS prompt, cost_seconds, rendered_at, placeholder,
        given.token, given.claim_token, given.claim_seconds, given.gpu_seconds, given.message_lock, given.pictures
), ended AS (
    UPDATE attempts SET ended_at = clock_timestamp(), outcome = 'rendered',
        gpu_seconds = moved.gpu_seconds
    FROM moved WHERE attempts.job = moved.id AND attempts.attempt = moved.attempt
    RETURNING moved.request, moved.gpu_seconds,
        extract(epoch FROM attempts.ended_at - attempts.started_at) AS lasted
), learnt AS (
    INSERT INTO cost_samples (request, seconds, job_seconds)
    SELECT request || '{"prompt": "", "negative": ""}', gpu_seconds, lasted FROM ended WHERE gpu_seconds > 0
), estimated AS (
    UPDATE estimates SET settled_at = rendered_at,
        actual = extract(epoch FROM rendered_at - given_at)
    FROM moved WHERE estimates.job = moved.id AND actual IS NULL
), claimed AS (
    INSERT INTO deliveries (job, platform, state, owner, owner_until, tries)
    SELECT id, platform, 'pending', claim_token, now() + make_interval(secs => claim_seconds), 1 FROM moved
), stored AS (
    INSERT INTO pictures (id, job, index, blob, mime, width, height, seed, parent, instruction,
        request, flagged)
    SELECT p.id, moved.id, p.index, p.blob, p.mime, p.width, p.height, p.seed, moved.parent,
        moved.prompt, p.request, p.flagged
    FROM moved, jsonb_to_recordset(moved.pictures) AS p(id uuid, index int, blob text,
        mime text, width int, height int, seed bigint, request jsonb, flagged boolean)
), corrected AS (
    INSERT INTO lane_changes (lane, seconds)
    SELECT lane, sum(gpu_seconds - cost_seconds) FROM moved WHERE gpu_seconds > 0 GROUP BY lane
)
SELECT token, placeholder, pg_try_advisory_xact_lock(message_lock) AS unlocked,
    atelier_leave(lane, flow, coalesce(gpu_seconds - cost_seconds, 0),
        coalesce(gpu_seconds - cost_seconds, 0))
FROM moved ORDER BY lane, flow
