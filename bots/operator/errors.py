"""Errors that end a command. `atelier` prints the message and exits with the status."""

from __future__ import annotations

import os
from typing import ClassVar


class CommandError(Exception):
    """A command cannot continue. The message tells a person what to do."""

    status: ClassVar[int] = 1


class WrongSettings(CommandError):
    """Invalid settings; each line of the message is about one variable."""

    status: ClassVar[int] = os.EX_CONFIG


class InstanceAlreadyRunning(CommandError):
    """Another process tree runs on this home; the message names its pid."""


class ProcessTreeStopped(CommandError):
    """A child ended the process tree; the message names it, and its log says why."""


class NotInstalled(CommandError):
    """A part of Atelier, or a package it needs, is not installed."""

    status: ClassVar[int] = os.EX_CONFIG
