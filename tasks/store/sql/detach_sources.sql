-- Other jobs that were made from erased blobs keep their prompt and lose the source.
WITH erased AS MATERIALIZED (
    SELECT blob FROM unnest(CAST(:blobs AS text[])) AS blob
), jobs_detached AS (
    UPDATE jobs SET request = request || jsonb_build_object(
        'sources', (
            SELECT coalesce(jsonb_agg(source), '[]') FROM jsonb_array_elements(request -> 'sources')
                AS source WHERE source #>> '{}' NOT IN (SELECT blob FROM erased)
        ),
        'mask', CASE WHEN request ->> 'mask' IN (SELECT blob FROM erased) THEN NULL
            ELSE request -> 'mask' END)
    WHERE state NOT IN ('queued', 'running')
        AND (request -> 'sources' ?| CAST(:blobs AS text[]) OR request ->> 'mask' = ANY(:blobs))
)
UPDATE pictures SET request = request || jsonb_build_object(
    'sources', (
        SELECT coalesce(jsonb_agg(source), '[]') FROM jsonb_array_elements(request -> 'sources')
            AS source WHERE source #>> '{}' NOT IN (SELECT blob FROM erased)
    ),
    'mask', CASE WHEN request ->> 'mask' IN (SELECT blob FROM erased) THEN NULL
        ELSE request -> 'mask' END)
WHERE request -> 'sources' ?| CAST(:blobs AS text[]) OR request ->> 'mask' = ANY(:blobs)
