"""The capacity planner: a day of demand against any fleet, on a virtual clock.

It decides with the code of the running product: fair queue, doors, waitlist and estimates
(`tasks.queue`, `tasks.policy`). Only the GPUs are arithmetic. Knows no database, no Celery and no
chat. `command.run` is the body of `atelier plan`; `charts.line_chart` renders SVG for other pages.
"""
