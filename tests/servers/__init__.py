"""Loopback image servers: they follow the published behaviour of two APIs, faults included."""
