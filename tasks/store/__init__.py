"""The record: everything that is kept in Postgres. All SQL of the project is in here.

One module a noun. Functions take an open connection and never commit: the caller decides what
belongs together. Nothing in here knows Celery, Redis or a chat platform.
"""
