"""The capacity planner: a day of demand against any fleet, on a virtual clock.

What decides here is what decides in the studio: the same fair queue, doors, waitlist and
estimates (`tasks.fairness`, `doors`, `waitlist`, `capacity`). Only the GPUs are arithmetic. Knows
no database, no Celery, no chat. `run.run` is the body of `atelier plan`.
"""
