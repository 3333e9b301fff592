-- Every server that has had a job or a setting, by skipping through the index `jobs_in_place`.
WITH RECURSIVE seen AS (
    (SELECT platform, workspace FROM jobs ORDER BY platform, workspace LIMIT 1)
    UNION ALL
    SELECT after.* FROM seen, LATERAL (
        SELECT platform, workspace FROM jobs
        WHERE (platform, workspace) > (seen.platform, seen.workspace)
        ORDER BY platform, workspace LIMIT 1
    ) AS after
)
SELECT * FROM seen UNION SELECT platform, workspace FROM workspaces
UNION SELECT platform, workspace FROM doors WHERE platform <> '*' ORDER BY 1, 2
