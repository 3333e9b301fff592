"""People and places: the rooms where members meet Atelier.

Knows members, tiers and sentences. Must never know torch, diffusers, Celery or SQL:
everything it needs of jobs comes through `tasks.client`.
"""
