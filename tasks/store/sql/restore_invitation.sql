-- Part of `end_job`: the invitation that let the member in is open again.
INSERT INTO waitlist OVERRIDING SYSTEM VALUE
SELECT row.* FROM moved, jsonb_populate_record(
    NULL::waitlist, moved.invitation || jsonb_build_object(
        'invited_at', now(), 'invited_until', now() + :invitation_lasts, 'told_at', now()
    )
) AS row
WHERE moved.invitation IS NOT NULL
ON CONFLICT (member_key) DO UPDATE SET invited_at = excluded.invited_at,
    invited_until = excluded.invited_until, told_at = excluded.told_at
