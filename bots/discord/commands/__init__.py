"""Slash and message commands: one module a group, their names, choices and registration."""
