-- Admitted orders become queued jobs: tags, holds in the ledger, rows of the outbox.
WITH given AS MATERIALIZED (
    SELECT g.* FROM atelier_each(:jobs) AS item, jsonb_to_record(item) AS g(
        id uuid, key text, command text, platform text, workspace text, channel text,
        thread text, member_key text, member jsonb, request jsonb, profile text, parent uuid,
        private boolean, reply_to jsonb, tier text, lane text, at_once int,
        cost double precision, cost_seconds double precision, relaxed boolean,
        degraded jsonb, invitation jsonb, pool text)
), here AS MATERIALIZED (
    SELECT given.*, virtual + :ageing * greatest(
        0, extract(epoch FROM clock_timestamp()) - virtual_at
    ) AS virtual FROM given JOIN lanes USING (lane)
), placed AS (
    INSERT INTO flows AS f (lane, flow, opened, tail)
    SELECT lane, member_key, 1, virtual + cost_seconds FROM here ORDER BY lane, member_key
    ON CONFLICT (lane, flow) DO UPDATE SET (opened, behind, tail) = (
        SELECT f.opened + CASE WHEN f.opened < at_once THEN 1 ELSE 0 END,
            f.behind + CASE WHEN f.opened < at_once THEN 0 ELSE 1 END,
            greatest(f.tail + cost_seconds, excluded.tail)
        FROM given WHERE given.lane = excluded.lane AND given.member_key = excluded.flow
    )
    RETURNING lane, flow, behind = 0 AS ready, tail, shift
), entered AS (
    INSERT INTO jobs (id, key, command, platform, workspace, channel, thread, member_key,
        member, request, profile, parent, private, reply_to, tier, lane, flow,
        start_tag, entered, shift, ready, at_once, cost, cost_seconds,
        relaxed, degraded, invitation, state, created_at)
    SELECT id, key, command, platform, workspace, channel, thread, member_key,
        member, request, profile, parent, private, reply_to, tier, here.lane, flow,
        placed.tail - cost_seconds, here.virtual, placed.shift, placed.ready, at_once, cost,
        cost_seconds, relaxed, nullif(degraded, 'null'), nullif(invitation, 'null'),
        'queued', clock_timestamp()
    FROM here JOIN placed ON placed.lane = here.lane AND placed.flow = here.member_key
    RETURNING $job_columns
), held AS (
    INSERT INTO ledger (job, kind, member_key, pool, credits, relaxed)
    SELECT id, 'hold', member_key, pool, cost, relaxed FROM given
), ticket AS (
    INSERT INTO outbox (created_at) SELECT now() FROM placed WHERE placed.ready
)
SELECT entered.*, pg_notify('atelier_outbox', '') FROM entered
