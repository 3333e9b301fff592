-- Erase ended jobs of one or several members: pictures, texts, and what their messages are found by.
-- Messages are queued for removal first. Returns the blobs to delete.
WITH doomed AS MATERIALIZED (
    SELECT jobs.id, member_key, jobs.platform, workspace, channel, thread, placeholder
    FROM jobs WHERE id = ANY(:jobs) AND state NOT IN ('queued', 'running', 'delivering')
    ORDER BY id FOR UPDATE
), queued AS (
    INSERT INTO removals (job, member_key, platform, place, message, placeholder, memory)
    SELECT doomed.id, member_key, doomed.platform, jsonb_build_object('platform', doomed.platform,
            'workspace', workspace, 'channel', channel, 'thread', thread),
        message, placeholder, coalesce(memory, '{}')
    FROM doomed LEFT JOIN deliveries ON deliveries.job = doomed.id
    WHERE :remove_messages
        AND (message IS NOT NULL OR placeholder <> '{}' OR coalesce(memory, '{}') <> '{}')
    ON CONFLICT (job) DO NOTHING
), deleted AS (
    DELETE FROM pictures USING doomed WHERE pictures.job = doomed.id
    RETURNING pictures.blob
), undelivered AS (
    UPDATE deliveries SET memory = '{}', message = NULL, error = NULL,
        state = CASE state WHEN 'pending' THEN 'failed' ELSE state END
    FROM doomed WHERE deliveries.job = doomed.id
), undetailed AS (
    UPDATE attempts SET details = NULL FROM doomed WHERE attempts.job = doomed.id
), unreported AS (
    UPDATE reports SET words = '' FROM doomed WHERE reports.job = doomed.id
), blanked AS (
    UPDATE jobs SET erased_at = NULL, invitation = NULL, cancelling = NULL,
        request = request || '{"prompt": "", "negative": "", "sources": [], "mask": null}',
        member = member || '{"name": ""}', reply_to = '{}', placeholder = '{}',
        reason = reason || '{"details": {}}'
    FROM doomed WHERE jobs.id = doomed.id
)
SELECT blob FROM deleted
