"""Sentences about what a model makes of an order, for its card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from bots.core.locales import Localizer
from imaging.errors import ImagingError
from imaging.profiles import Profile, profile_for
from imaging.request import ImageRequest, Operation
from imaging.vocabulary import Vocabulary
from tasks.jobs.job import Job

MAX_LISTED = 5  # words in a sentence
MAX_LENGTH = 30  # characters of each
MAX_UNREAD = 80  # characters of the end of a prompt


def notes(job: Job, localize: Localizer) -> tuple[str, ...]:
    """The words that the model doesn't know or doesn't read, and that a picture is not its own.

    Only a model that publishes a vocabulary tells what it knows.
    """
    request = job.order.request
    words = _vocabulary(request.profile)
    found = [_unread_note(request, localize)]
    if words is not None:
        found.append(_unknown_words_note(request, words, localize))
        if request.operation is Operation.EDIT and job.order.parent is None:
            found.append(localize("note-uploaded-edit", model=request.profile))
    return tuple(note for note in found if note)


def _unread_note(request: ImageRequest, localize: Localizer) -> str:
    """The end of a long prompt that the model doesn't read; an upscale reads no prompt."""
    profile = _profile(request.profile)
    limit = profile.prompt_limit if profile else None
    unread = limit.unread(request.prompt) if limit else ""
    if not unread or request.operation is Operation.UPSCALE:
        return ""
    shown = unread if len(unread) <= MAX_UNREAD else f"{unread[: MAX_UNREAD - 1].rstrip()}…"
    return localize("note-unread", model=request.profile, words=shown)


def _unknown_words_note(request: ImageRequest, words: Vocabulary, localize: Localizer) -> str:
    if request.operation not in (Operation.IMAGINE, Operation.EDIT, Operation.FILL):
        return ""
    unknown = words.unknown_words(request.prompt)
    if not unknown:
        return ""
    words_list = listed(unknown, localize)
    return localize(
        "note-unknown-words", model=request.profile, words=words_list, count=len(unknown)
    )


def known_words(profiles: Iterable[str]) -> dict[str, list[str]]:
    """The words that each model knows, in plain letters; without models that publish none."""
    found = {name: _vocabulary(name) for name in profiles}
    return {name: sorted(words.known) for name, words in found.items() if words}


def listed(words: Sequence[str], localize: Localizer) -> str:
    """Words in quotation marks, the first few of them."""
    shown = [word if len(word) <= MAX_LENGTH else word[: MAX_LENGTH - 1] + "…" for word in words]
    return localize.quoted_list(shown[:MAX_LISTED], more=len(words) > MAX_LISTED)


def _vocabulary(profile: str) -> Vocabulary | None:
    found = _profile(profile)
    return found.vocabulary if found else None


@cache
def _profile(name: str) -> Profile | None:
    try:
        return profile_for(name)
    except ImagingError:
        return None  # a model that only its worker knows
