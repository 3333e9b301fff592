"""The commands of `atelier`: one module a command, plus the process tree that `atelier up` runs.

This package composes the others and may import all of them; they never import it. It relies on:

- `bots.web.app:serve`, `bots.discord.app:serve` and `bots.slack.app:serve`, each
  `async serve(settings, ready)`: they serve until cancelled, and call `ready()` once they can.
- `python -m tasks.worker.process` and `python -m tasks.maintenance.process`: they serve until
  SIGTERM, and call `tasks.runtime.readiness.announce()` once they can.

Imports no torch and no diffusers, so that `atelier up` and `atelier doctor` start at once.
"""
