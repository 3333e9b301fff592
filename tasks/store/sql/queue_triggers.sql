-- Every job that enters the queue, moves in it or leaves it is written into `line_changes`.
CREATE OR REPLACE TRIGGER jobs_enter_line AFTER INSERT ON jobs FOR EACH ROW
    WHEN (NEW.state = 'queued') EXECUTE FUNCTION atelier_line_change();
CREATE OR REPLACE TRIGGER jobs_move_in_line AFTER UPDATE ON jobs FOR EACH ROW
    WHEN ((OLD.state = 'queued') <> (NEW.state = 'queued')
        OR (NEW.state = 'queued' AND OLD.start_tag <> NEW.start_tag))
    EXECUTE FUNCTION atelier_line_change();
CREATE OR REPLACE TRIGGER jobs_leave_line AFTER DELETE ON jobs FOR EACH ROW
    WHEN (OLD.state = 'queued') EXECUTE FUNCTION atelier_line_change();
