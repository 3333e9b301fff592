"""A loopback Discord: gateway, REST and CDN on one local port, with members who press buttons.

It keeps the truth of its servers (messages, commands, interactions, who sees what) and holds a bot
to Discord's own rules: 3 s for the first answer, 15 minutes for a token, closed request schemas,
buckets.
"""

from tests.platforms.discord.clock import Clock
from tests.platforms.discord.people import Person
from tests.platforms.discord.server import LoopbackDiscord

__all__ = ["Clock", "LoopbackDiscord", "Person"]
