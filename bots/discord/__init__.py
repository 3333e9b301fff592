"""The Discord room: slash commands, buttons, forms, replies, and the courier that posts pictures.

Only translation and Discord's own rules live here: what a command means is decided in `bots.core`,
what becomes of a job in `tasks`. Must never know SQL, Celery, torch, or another bot's room.

- `app` starts the bot; `client` is discord.py's client as we use it; `address` says where it is.
- `commands` holds slash and message commands, `buttons` and `forms` what is below a picture,
  `mentions` the replies. All of them answer through `reception`, which keeps the 3 seconds.
- `translate` and `roles` turn Discord's words into ours, `layout` ours into components.
- `posts` edits messages by whichever token still may; `courier` is the worker's side.
"""
