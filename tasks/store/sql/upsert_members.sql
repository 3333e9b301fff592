-- Record members and lock their rows: one order of a member is admitted after another.
WITH given AS MATERIALIZED (
    SELECT g.* FROM atelier_each(:members) AS item, jsonb_to_record(item) AS g(
        key text, platform text, workspace text, account text, id text, name text)
), met AS (
    INSERT INTO members (key, platform, workspace, id, name)
    SELECT key, platform, workspace, id, name FROM given ORDER BY key
    ON CONFLICT (key) DO UPDATE SET name = excluded.name
    RETURNING key, blocked, preferences
)
SELECT key, blocked, preferences, $workspace_columns
FROM met JOIN given USING (key)
