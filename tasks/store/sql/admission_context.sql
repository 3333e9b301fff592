-- What admission reads about orders: their keys, members, servers and parents.
WITH asked AS MATERIALIZED (
    SELECT g.* FROM atelier_each(:questions) AS item, jsonb_to_record(item) AS g(
        key text, platform text, workspace text, member text, person text,
        seconds double precision, pool text, pool_seconds double precision, parent uuid)
), given AS MATERIALIZED (
    -- `keys` are all member keys of one person, where their orders in all servers count.
    SELECT asked.*, ARRAY(
        SELECT asked.member UNION
        SELECT members.key FROM members
        WHERE members.platform = asked.platform AND members.id = asked.person
    ) AS keys
    FROM asked
)
SELECT given.key, now() AS now,
    (SELECT id FROM jobs WHERE jobs.key = given.key) AS existing,
    open.queued, open.running,
    $member_standing,
    $pool_standing,
    EXISTS (SELECT FROM jobs WHERE member_key = given.member) AS known,
    EXISTS (
        SELECT FROM waitlist WHERE member_key = given.member AND invited_until > now()
    ) AS invited,
    $doors AS doors,
    fleet.models, fleet.pending_models, fleet.model_faults,
    (given.parent IS NULL OR EXISTS (
        SELECT FROM pictures WHERE id = given.parent AND NOT deleted
    )) AS parent_exists
FROM given, LATERAL (
    SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
        count(*) FILTER (WHERE state = 'running') AS running
    FROM jobs WHERE member_key = ANY (given.keys)
        AND state IN ('queued', 'running', 'delivering')
        AND (member_key = given.member OR tier = 'free')
) AS open, LATERAL (
    SELECT jsonb_agg(profiles) AS models,
        jsonb_agg(pending_models) FILTER (WHERE recent AND pending_models <> '[]')
            AS pending_models,
        jsonb_agg(model_faults) FILTER (WHERE recent AND model_faults <> '{}') AS model_faults
    FROM workers, LATERAL (SELECT seen_at > now() - interval '1 minute' AS recent) AS seen
    WHERE seen_at > now() - interval '1 day'
) AS fleet
