-- Invite the first who wait, except those whose door an administrator closed.
UPDATE waitlist SET invited_at = now(), invited_until = now() + make_interval(secs => :lasts)
WHERE member_key IN (
    SELECT member_key FROM waitlist WHERE tier = :tier AND invited_at IS NULL
        AND NOT $shut_out
    ORDER BY lapses, number LIMIT :batch FOR UPDATE SKIP LOCKED
)
