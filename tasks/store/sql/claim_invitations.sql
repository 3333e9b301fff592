-- Claim invitations whose members have not been notified.
UPDATE waitlist SET claimed_at = now()
WHERE member_key IN (
    SELECT member_key FROM waitlist
    WHERE invited_until > now() AND told_at IS NULL AND place ->> 'platform' = ANY (:platforms)
        AND (claimed_at IS NULL OR claimed_at < now() - make_interval(secs => :claim))
    ORDER BY number LIMIT :limit FOR UPDATE SKIP LOCKED
)
RETURNING member, place, tier, invited_until
