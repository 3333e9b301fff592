-- Delete rows of old uploads that no active job uses; returns the blobs without an owner left.
WITH expired AS (
    DELETE FROM sources WHERE (blob, member_key) IN (
        SELECT blob, member_key FROM sources
        WHERE stored_at < now() - make_interval(secs => :seconds)
            AND NOT EXISTS (
                SELECT FROM jobs WHERE state IN ('queued', 'running')
                    AND (request -> 'sources' ? sources.blob OR request ->> 'mask' = sources.blob)
            )
        ORDER BY stored_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ) RETURNING blob, member_key
)
SELECT DISTINCT blob FROM expired WHERE NOT EXISTS (
    SELECT FROM sources WHERE sources.blob = expired.blob
        AND sources.member_key NOT IN (
            SELECT member_key FROM expired AS other WHERE other.blob = expired.blob
        )
)
