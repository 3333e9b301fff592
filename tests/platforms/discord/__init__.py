"""A loopback Discord: gateway, REST and CDN on one local port, with members who press buttons.

It keeps the state of its servers (messages, commands, interactions, who sees what) and enforces
Discord's rules: 3 s for the initial response, 15 minutes for a token, closed request schemas, rate
limits.
"""

from tests.platforms.discord.clock import Clock
from tests.platforms.discord.members import Person
from tests.platforms.discord.server import LoopbackDiscord

__all__ = ["Clock", "LoopbackDiscord", "Person"]
