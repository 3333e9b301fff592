-- What became of jobs and deliveries is written into `metric_samples`, in the same transaction.
CREATE OR REPLACE FUNCTION atelier_job_sample() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF NEW.state = 'delivering' THEN
        INSERT INTO metric_samples (metric, subject, outcome, seconds)
        VALUES ('wait', NEW.tier, '', extract(epoch FROM NEW.rendered_at - NEW.created_at));
        INSERT INTO metric_samples (metric, subject, outcome, seconds)
        SELECT 'render', NEW.tier, '', extract(epoch FROM NEW.rendered_at - started_at)
        FROM attempts WHERE job = NEW.id AND attempt = NEW.attempt;
    ELSE
        INSERT INTO metric_samples (metric, subject, outcome) VALUES ('job', NEW.tier, NEW.state);
    END IF;
    RETURN NULL;
END
$body$;
CREATE OR REPLACE FUNCTION atelier_delivery_sample() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO metric_samples (metric, subject, outcome, seconds) VALUES ('delivery',
        NEW.platform, NEW.state, extract(epoch FROM clock_timestamp() - NEW.created_at));
    RETURN NULL;
END
$body$;
CREATE OR REPLACE TRIGGER jobs_sample AFTER UPDATE ON jobs FOR EACH ROW
    WHEN (OLD.state <> NEW.state
        AND NEW.state IN ('delivering', 'done', 'failed', 'cancelled', 'refused'))
    EXECUTE FUNCTION atelier_job_sample();
CREATE OR REPLACE TRIGGER deliveries_sample AFTER UPDATE ON deliveries FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NEW.state IN ('sent', 'failed'))
    EXECUTE FUNCTION atelier_delivery_sample();
