"""What a process runs on: settings, addresses, Celery app, events, blobs, encryption, logs.

Also the embedded Postgres and Valkey. Knows no job rules.
"""
