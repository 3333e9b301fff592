"""Slack: mentions, commands, shortcuts, modals and a Home tab, and the courier of pictures.

Only translation and Slack's own rules live here: `surface` lists what the app offers, `translate`
makes commands of what Slack sends, `views` and `blocks` draw, `web` calls the Web API within its
limits, `courier` and `handover` carry results out of the worker. The use cases in `bots.core`
decide everything.
Must never know SQL, Celery, torch, or the other platforms' rooms.
"""
