"""An end with a reason: what a command raises where it cannot go on, for `atelier` to print."""

from __future__ import annotations

import os
from typing import ClassVar


class Refusal(Exception):
    """A command cannot go on. The message is for a person, and says what to do."""

    status: ClassVar[int] = 1


class WrongSettings(Refusal):
    """Settings that nothing can be started with; each line of the message is about one variable."""

    status: ClassVar[int] = os.EX_CONFIG


class HomeTaken(Refusal):
    """Another tree runs on this home; the message says which and what to do."""


class TreeStopped(Refusal):
    """The tree cannot go on; the message says which child ended it, and that child has said why."""


class NotThere(Refusal):
    """This part of Atelier is not installed or not written yet."""

    status: ClassVar[int] = os.EX_CONFIG
