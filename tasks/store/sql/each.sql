-- `jsonb_array_elements` with an estimate of one row, so that plans look rows up by their keys.
-- VOLATILE, because the planner would inline it and lose the estimate.
CREATE OR REPLACE FUNCTION atelier_each(items jsonb) RETURNS SETOF jsonb LANGUAGE sql VOLATILE ROWS 1 AS
$body$ SELECT jsonb_array_elements(items) $body$
