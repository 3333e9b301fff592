"""The operator's room: the process tree, and every command of `atelier` but the bots themselves.

One module a command. This is where the other rooms are put together, so it may know all of them;
they never know it. What it asks of them:

- `bots.web.app:serve(settings, ready)`, `bots.discord.app:serve(settings, ready)`,
  `bots.slack.app:serve(settings, ready)`: coroutines that serve until they are cancelled, and call
  `ready()` once when they can (the page answers, the gateway said READY, the socket is open).
- `python -m tasks.worker` and `python -m tasks.clock`: processes that serve until SIGTERM, and call
  `tasks.readiness.announce()` once when they can (the model is loaded; the relay listens).

Must never know torch or diffusers: `atelier up` and `atelier doctor` are small and start at once.
"""
