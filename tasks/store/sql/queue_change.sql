-- Trigger function: writes each job that enters or leaves the queue into `line_changes`.
CREATE OR REPLACE FUNCTION atelier_line_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = 'queued' THEN
        INSERT INTO line_changes (lane, tag, jobs, seconds)
        VALUES (OLD.lane, OLD.start_tag, -1, -OLD.cost_seconds);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'queued' THEN
        INSERT INTO line_changes (lane, tag, jobs, seconds)
        VALUES (NEW.lane, NEW.start_tag, 1, NEW.cost_seconds);
    END IF;
    RETURN NULL;
END
$body$
