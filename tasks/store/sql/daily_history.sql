-- Jobs queued, made and waited for, by tier and time bucket.
WITH span AS (
    SELECT CAST(:until AS timestamptz) - make_interval(secs => :seconds * :parts) AS first
), recent AS MATERIALIZED (
    SELECT tier, created_at AS came, coalesce(started_at, ended_at) AS went, rendered_at AS made
    FROM jobs, span
    WHERE created_at > first - interval '2 days' AND created_at <= :until
        AND coalesce(ended_at, 'infinity') > first
), events AS (
    SELECT tier, came AS at, 1 AS step, NULL::interval AS wait FROM recent
    UNION ALL SELECT tier, went, -1, NULL FROM recent WHERE went IS NOT NULL
    UNION ALL SELECT tier, made, 0, made - came FROM recent, span WHERE made > first
)
SELECT tier,
    greatest(0, ceil(extract(epoch FROM at - first) / :seconds)) AS part,
    sum(step) AS moved, count(wait) AS made,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY wait) AS wait
FROM events, span WHERE at <= :until GROUP BY tier, part
