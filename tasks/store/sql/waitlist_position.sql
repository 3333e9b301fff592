-- A member's position on the waitlist.
SELECT joined_at, CASE WHEN invited_until > now() THEN invited_until END AS invited_until,
    CASE WHEN $mine_waits THEN (
        SELECT count(*) FROM waitlist AS other
        WHERE other.tier = mine.tier AND $other_waits
            AND $other_order <= $mine_order
    ) END AS position
FROM waitlist AS mine WHERE member_key = :key
