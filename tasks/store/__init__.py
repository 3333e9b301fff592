"""Postgres: the tables, and one module of queries for each noun. All SQL of the project is here.

Functions take an open connection and never commit: the caller decides what is one transaction.
Large statements and the database's own functions are in `tasks/store/sql`. Nothing here imports
Celery, Redis or a chat platform.
"""
