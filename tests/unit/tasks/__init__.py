"""The pure parts of `tasks`."""
