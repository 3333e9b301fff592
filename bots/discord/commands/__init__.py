"""Slash and message commands: one module a group; how they are named, offered and registered."""
