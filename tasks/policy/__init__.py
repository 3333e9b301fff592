"""What the operator decides: tiers, quotas, doors, rollout, waitlist rules, and `atelier.toml`.

Pure rules, except that `config` reads the file. Knows no database, no Redis and no Celery.
"""
