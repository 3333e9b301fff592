"""Slack: mentions, commands, shortcuts, modals, the Home tab, and delivery of results.

This package holds translation and Slack's own rules only. `app_spec` lists what the app offers,
`translate` turns Slack's payloads into commands, `views` and `blocks` render, `transport` calls the
Web API within its rate limits, `publisher` and `delivery_attempt` deliver results from the worker.
The use cases in `bots.core` make every decision.

It must not import SQL, Celery, torch, or another platform's package.
"""
