-- Insert or update a worker's row.
INSERT INTO workers (name, token, device, profiles, slots, running, rates, device_use,
    model_faults, pending_models)
VALUES (:name, :token, :device, :profiles, :slots, :running, :rates, :device_use,
    :model_faults, :pending_models)
ON CONFLICT (name) DO UPDATE SET token = excluded.token, device = excluded.device,
    profiles = excluded.profiles, slots = excluded.slots, running = excluded.running,
    rates = excluded.rates, device_use = excluded.device_use,
    model_faults = excluded.model_faults, pending_models = excluded.pending_models, seen_at = now(),
    started_at = CASE WHEN workers.token = excluded.token THEN workers.started_at ELSE now() END
