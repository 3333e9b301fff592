"""Questions to members that wait for a button: in memory, bounded, for half an hour."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from cachetools import TTLCache

from bots.core.commands import Imagine

CODES = frozenset({"ask-which", "ask-no-picture", "ask-unknown-words"})
"""The codes of replies that ask a question."""
LIFETIME = timedelta(minutes=30)
"""How long a question can be answered, and how old the picture that it is about may be."""
MAX_QUESTIONS = 2000


@dataclass(frozen=True, slots=True)
class PictureQuestion:
    """Whether a text changes a recent picture or means a new one: whose question it is, and what
    each answer does. Without a recent picture, only a new one can be made.
    """

    member: str
    text: str
    picture: UUID | None
    otherwise: Imagine


@dataclass(frozen=True, slots=True)
class UnknownWordsQuestion:
    """Whether to draw a prompt whose words the model doesn't know."""

    member: str
    command: Imagine


Question = PictureQuestion | UnknownWordsQuestion
Kind = TypeVar("Kind", PictureQuestion, UnknownWordsQuestion)


@dataclass(frozen=True, slots=True)
class Questions:
    """Open questions of this process. They are lost at a restart; members then ask again."""

    _open: TTLCache[UUID, Question] = field(
        default_factory=lambda: TTLCache(MAX_QUESTIONS, LIFETIME.total_seconds())
    )

    def add(self, question: Question) -> UUID:
        """Keep a question and return its id for the buttons."""
        id_ = uuid4()
        self._open[id_] = question
        return id_

    def take(self, id_: UUID, member: str, kind: type[Kind]) -> Kind | None:
        """Remove and return a member's question; None if it expired or is somebody else's."""
        question = self._open.get(id_)
        if not isinstance(question, kind) or question.member != member:
            return None
        self._open.pop(id_, None)
        return question
