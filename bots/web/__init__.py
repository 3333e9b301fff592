"""The local playground: a chat page of its own, over HTTP and server-sent events.

`commands` has the routes that call core's use cases; `translate` turns forms and JSON into
commands, `views` turns replies and cards into JSON; `roles` reads the member of a request;
`event_stream` carries live events to every open page; `access_guard` refuses other sites and hosts;
`publisher` is what a worker calls; `page/` holds the page itself. This package must never import
Discord, Slack, SQL or Celery. There is no table of messages: a job is its message.
"""
