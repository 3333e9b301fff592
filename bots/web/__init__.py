"""The local playground: a chat page of its own, over HTTP and server-sent events.

`commands` are the routes that acknowledge and call core's use cases; `translate` turns forms and
JSON into commands, `views` replies and cards into JSON; `roles` reads who is asking; `courier` is
the worker's; `live` carries events to every open page; `guard` keeps other sites and hosts out.
Must never know Discord, Slack, SQL or Celery. There is no table of messages: a job is its message.
"""
