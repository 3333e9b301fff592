"""The Discord bot: commands, buttons, modals, mentions, and the publisher of results.

This package translates, and applies Discord's own rules. `bots.core` decides what a command means
and `tasks` what happens to a job. It must not know SQL, Celery, torch, or another platform.

- `app` starts the bot; `gateway_client` is discord.py's client; `endpoints` are its URLs.
- `commands` holds slash and message commands, `components` buttons, `modals` forms, `mentions`
  messages. All answer through `interaction_responder`, which keeps Discord's 3 seconds.
- `translate` and `roles` turn Discord's objects into Atelier's, `message_view` Atelier's into
  components.
- `messages` edits and posts with whichever token is still valid; `publisher` and `delivery_attempt`
  are the worker's side.
"""
