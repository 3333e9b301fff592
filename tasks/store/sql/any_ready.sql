-- Whether a lease could be taken: one index probe for each lane and profile.
SELECT EXISTS (
    SELECT FROM unnest(:lanes) AS lane(name), unnest(:profiles) AS wanted(profile),
        LATERAL (
            SELECT FROM jobs WHERE lane = lane.name AND profile = wanted.profile
                AND state = 'queued' AND ready
            ORDER BY start_tag, created_at LIMIT 1
        ) AS head
)
