"""Jobs through the real Postgres, Valkey and Celery worker processes."""
