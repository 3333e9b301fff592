-- Queued jobs for a benchmark: nine in ten in Free, every fifth behind another of its member.
INSERT INTO jobs (id, key, command, platform, workspace, channel, member_key, member, request,
    profile, tier, lane, flow, start_tag, entered, ready, cost_seconds, cost, state, created_at)
SELECT gen_random_uuid(), 'fill-' || n, 'imagine', 'bench', 'bench', 'bench', member.key,
    jsonb_build_object('platform', 'bench', 'workspace', 'bench', 'id', member.key, 'name', '',
        'roles', '[]'::jsonb, 'locale', 'en', 'administrator', false),
    CAST(:request AS jsonb), 'blank', tier.name, tier.name, member.key,
    lanes.virtual + n * 1e-3 + (n % 5 = 0)::int * 5, lanes.virtual, n % 5 <> 0, 5.0, 1.0,
    'queued', now() - make_interval(secs => 3600 - n * 1e-3)
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n,
    LATERAL (SELECT 'fill-' || (n - (n % 5 = 0)::int) AS key) AS member,
    LATERAL (SELECT CASE n / 10 % 10 WHEN 0 THEN 'plus' ELSE 'free' END AS name) AS tier
JOIN lanes ON lanes.lane = tier.name
