"""Asks before a model draws a prompt whose words it does not know, where it publishes them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from bots.core.commands import Imagine
from bots.core.context import Context
from bots.core.locales import Localizer
from bots.core.model_notes import listed
from bots.core.open_questions import UnknownWordsQuestion
from bots.core.refusals import refusal
from bots.core.reply import Action, Button, Reply, ReplyKind, Style
from imaging.profiles import Profile
from imaging.vocabulary import Vocabulary
from tasks.jobs.job import Reason


def question(context: Context, profile: Profile, command: Imagine, prompt: str) -> Reply | None:
    """What to answer instead of drawing a picture from a prompt; None where it can be drawn.

    A prompt without a word that says what to draw is refused. One without a known thing but with
    unknown words is asked about: the member can have it drawn anyway. Only for models that ask.
    """
    words = profile.vocabulary
    if words is None or profile.unknown_words == "draw":
        return None
    if command.anyway or command.reference is not None:
        return None
    if words.names_nothing(prompt):
        localize = context.localize
        examples = localize.quoted_list(_examples(words, localize.locale))
        details = {"model": profile.name, "things": words.things, "examples": examples}
        return refusal(Reason("no-known-word", details), context.localize)
    unknown = words.unknown_words(prompt)
    if not unknown or words.names_a_thing(prompt):
        return None
    id_ = context.questions.add(UnknownWordsQuestion(context.invocation.member.key, command))
    return Reply(
        ReplyKind.CONFIRM,
        context.localize(
            "ask-unknown-words",
            model=profile.name,
            things=words.things,
            words=listed(unknown, context.localize),
            count=len(unknown),
        ),
        code="ask-unknown-words",
        buttons=(_draw_anyway(id_, context.localize),),
    )


def _examples(words: Vocabulary, locale: str) -> Sequence[str]:
    """Prompts for the member's language, or a few of the things by name."""
    return words.examples.get(locale) or sorted(words.subjects)[:3]


def _draw_anyway(question_id: UUID, localize: Localizer) -> Button:
    label = localize("button-draw-anyway")
    return Button(Action.DRAW_ANYWAY, label, question_id, style=Style.PRIMARY)
