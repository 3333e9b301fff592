"""The clock process: outbox relay, sweeper and periodic tasks."""
