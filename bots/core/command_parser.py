"""Parses a message into a `Command`: prompts with flags, instructions, and commands typed alone.

Every way in uses these functions: mentions, replies, threads, forms, slash commands and the
playground's prompt box. Pure: input that can't be understood becomes a `BadCommand` with the
message to show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from bots.core.account_requests import ends_with_scene, requested_command
from bots.core.careful_commands import (
    is_imperative_cancel,
    is_no_longer_wanted,
    is_plain_cancel,
    named_only,
    several_wishes,
    undoes_a_change,
)
from bots.core.command_grammar import is_command, parse_atelier, parse_studio, unknown_command
from bots.core.command_words import Word, plain_words, word_of
from bots.core.commands import (
    Ask,
    BadCommand,
    BadInput,
    Blend,
    Cancel,
    Command,
    Edit,
    Help,
    Imagine,
    Privacy,
    Queue,
    Reroll,
    Source,
    Undo,
    Upload,
    Upscale,
    Vary,
    Waitlist,
)
from bots.core.flag_values import SHAPES, FlagError
from bots.core.idioms import opens_with_idiom
from bots.core.instructions import reads_as_instruction, reads_as_order
from bots.core.intent_model import MAX_GUESSED, TOLD, Guess, Intent, intent_model
from bots.core.picture_remarks import has_caption
from bots.core.prompt_flags import Prompt, first_word, parse_prompt
from bots.core.small_talk import after_small_talk, is_greeting, is_small_talk
from bots.core.worded_options import FLAG_LIKE, again_with_options, implied_aspect
from tasks.jobs.tiers import DoorState

_SHORT_ID = re.compile(r"[0-9a-f]{6,8}")
_COMMAND = re.compile(
    r"!(?:imagine|draw|dessine|help|aide|quota|queue|history|cancel|settings|undo)(?!\w)",
    re.IGNORECASE,
)
_OPTION_PREFIX = re.compile(
    r"(?:imagine\s+)?(?:prompt|description)\s*:\s*|imagine\s+prompt\s+(?=\w)", re.IGNORECASE
)
_PICTURE_WORDS = frozenset({Word.AGAIN, Word.VARY, Word.UPSCALE, Word.EDIT, Word.BLEND})
_PASTED_NAME = re.compile(r"\Aprompt\s+(?=[^\s:：])", re.IGNORECASE)
_PASTED_OPTION = re.compile(
    r"(?<=\s)(aspect|count|model|seed|negative|strength)\s?:\s?(?=\S)", re.IGNORECASE
)
_DATA = re.compile(
    r"(?:(?P<delete>delete|erase|supprime[rz]?|efface[rz]?)|"
    r"export(?:e[rz]?)?|download|telecharge[rz]?) "
    r"(?:(?:all|toutes) )?(?:my|mes|mon|les|the) (?:data|account|donnees|compte)"
)
_WAITLIST = re.compile(
    r"(?:(?:can|could) (?:you|i) |i want to |i'd like to |how do i |je (?:veux|voudrais) |"
    r"tu peux |je peux )?(?:(?:me )?(?P<leave>leave|quit|get off|take me off|remove me from|"
    r"quitte[rz]?|"
    r"sortir de|(?:me )?retire[rz]?(?: moi)? de|(?:me )?desinscri[a-z]*(?: moi)? de)|(?:me "
    r")?(?:join|"
    r"get on|sign (?:me )?up (?:for|to)|put me on|add me to|enter|rejoindre|rejoins|"
    r"(?:me )?(?:inscri[a-z]*|ajoute[rz]?|mets?|mettre)(?: moi)? (?:sur|a|dans)|entrer dans)) "
    r"(?:the |la )?(?:wait(?:ing)? ?list|liste d'attente)"
)
_ITS = (
    r"(?:my|the|this|that|these|those|all(?: of)? my|ma|mon|mes|cette|cet|ce|ces|la|le|les|"
    r"toutes mes)"
)
_ITS_NAME = (
    r"(?:pictures?|images?|pics?|photos?|drawings?|dessins?|posts?|messages?|orders?|commandes?)"
)
_LATEST = r"(?:last|latest|newest|previous|other|derniere?s?|precedente?s?|autres?)"
_DELETES_A_PICTURE = re.compile(
    r"(?:(?:can|could|would) (?:you|u|i) |(?:tu|je|on) (?:peux|peut|pourrais) |peux tu |"
    r"pouvez vous |(?:i want|i'd like|i need|how (?:do|can) i|how) (?:to )?|"
    r"(?:je veux|je voudrais) |"
    r"comment (?:(?:je|on|faire pour) )?(?:la |le |les |l')?)?(?:"
    r"(?:delete|erase|supprime[rz]?|efface[rz]?)(?: moi)?(?: ?(?:"
    r"(?:it|this|that|them|ca|la|le|les|all|all of (?:it|them)|"
    rf"(?:this|that|my|the)(?: {_LATEST})? ones?|cel(?:les?|ui)(?: ci| la)?|"
    rf"{_ITS} {_LATEST}|"
    rf"(?:{_ITS} |l'|last )?(?:{_LATEST} )?{_ITS_NAME}(?: i made| que j'ai faite?s?)?)))?|"
    r"(?:remove|get rid of|take down|enleve[rz]?|retire[rz]?|vire[rz]?|jette[rz]?)(?: moi)? "
    rf"(?:{_ITS} |l')(?:{_LATEST} )?{_ITS_NAME}|"
    rf"take (?:it|this|that|them|{_ITS} {_ITS_NAME}) down)"
)
"""A wish to delete a picture, which is told of the picture's button."""
_LIKELY_ANY = 0.8
_LIKELY: Mapping[Intent, float] = {Intent.CHANGE: 0.7}
"""How likely the model must hold an intent: less where it only asks which picture is meant."""
_FEWEST_ANY = 1
_FEWEST: Mapping[Intent, int] = {
    Intent.CANCEL: 4,
    Intent.UNDO: 3,
    Intent.AGAIN: 3,
}
"""Words of the shortest message that is guessed to be one: rules know the shorter requests."""
_NAMED: Mapping[Intent, re.Pattern[str]] = {
    Intent.CANCEL: re.compile(
        r"\b(?:cancel|(?<!can't )(?<!never )(?<!won't )stop(?! laugh)|abort|kill|drop|scrap|skip|"
        r"trash|bin|forget|leave|nvm|never ?mind|"
        r"don'?t (?:draw|make|do|want|need|generate|start|send)|changed? my mind|annul\w+|arret\w+|"
        r"stoppe|laisse|oublie|en veux plus|plus besoin|pas la peine|change d'avis|"
        r"(?:fais|dessine|genere|lance) pas)\b"
    ),
    Intent.UNDO: re.compile(
        r"\b(?:undo|back|revert|reverse|restore|before|previous|old|older|first|earlier|last|"
        r"original|"
        r"prefer\w*|liked|avant|ancienne?|precedente?|premiere?|retour\w*|revien\w*|revenir|"
        r"remets?|"
        r"redonne|defais|annule)\b"
    ),
    Intent.AGAIN: re.compile(
        r"\b(?:again|another|more|once|one|new|same|repeat|retry|redo|encore|autre|nouvelle?|meme|"
        r"pareil|continue|de plus|re(?:fai|essa|lance|commence|tente)\w*)\b"
    ),
}
"""Words of which a message must have one, to be guessed to be what changes something."""
_ANOTHER_THING = re.compile(
    r"\b(?:another|one more|encore une?|une? autre|(?:a|une?) (?:new|nouveau|nouvel|nouvelle)) "
    r"(?!(?:one|time|go|try|take|shot|round|roll|spin|whirl|crack|stab|copy|version|variation|variante|pic|picture|image|"
    r"drawing|dessin|photo|fois|essai|coup|tour|autre|derniere|(?:re)?roll|please|pls|plz|stp|svp|"
    r"thanks|merci|now|like|of|in|with|without|but|and|same|just|if|for|maintenant|comme|de|du|en|"
    r"dans|avec|sans|mais|et|pareil|meme|si|pour|a|au)\b)[a-z]"
)
"""A new thing to draw, such as "another bee": not the same picture again."""
_SURE = 0.9
"""How likely it must be that words about a picture are a question about the account, and what so
few words mean."""
_FEW_WORDS = 3
_NUMBERED_BUTTON = re.compile(r"[uv]\s?[1-4][.!]?", re.IGNORECASE)
"""A picture's button as other bots name it, such as "U2"."""
_FOUR_TIMES = re.compile(r"upscale(?: it| this)?(?: by)?(?: x ?4| 4 ?x?)", re.IGNORECASE)
_SHAPE_ALONE = re.compile(
    rf"(?:in|en|au|as|make it)?\s?(?:format\s)?(?P<shape>{'|'.join(SHAPES)})(?:\sformat)?[.!]*",
    re.IGNORECASE,
)
_ASKS_ABOUT_FLAG = re.compile(
    r"(?:(?:and|so|et|alors|hey|hi|salut) )?(?:what(?:['’]s| is|s| does| do)?|how (?:do|does|can|"
    r"to)"
    r"(?: (?:i|you|we))?(?: use)?|why(?: use)?|explain|c['’]est quoi|[cç]a sert [àa] quoi|"
    r"[àa] quoi (?:[cç]a )?(?:sert|servent)|[cç]a fait quoi|comment (?:on |[cç]a |je )?"
    r"(?:utilise|marche|fonctionne|met|mets|utiliser)|pourquoi)(?: the| le| la| this| "
    r"l['’]option| the "
    r"option| the flag)? (?:--|—|–)\w+\s*(?:(?:for|do|does|mean|means|work|works|flag|option|"
    r"exactly|"
    r"fait|veut dire|marche|sert|au juste)\s*)*[?!.]*",
    re.IGNORECASE,
)
"""A question about a flag that names it without a value: "what's --seed for?"."""
_IMAGINE_WORD = re.compile(
    r"(?:imagine[rz]?)\s*[:,]?\s+(?=(?:an?|the|some|two|three|une?|des|le|la|les|deux|trois)\s)",
    re.IGNORECASE,
)


def parse(  # noqa: PLR0911 - one case a command
    text: str, *, picture: UUID | None = None
) -> Command | BadCommand:
    """The command in a message: a command's word alone, a prompt with flags, or `/imagine …`.

    `picture` is the picture that the message is about, for words such as "vary" and "undo".
    """
    stripped = clean_edges(text)
    if _NUMBERED_BUTTON.fullmatch(stripped):
        return BadCommand(BadInput.NUMBERED_BUTTON)
    if _ASKS_ABOUT_FLAG.fullmatch(stripped):
        return Help()
    if picture is None and opens_with_idiom(stripped):
        return imagine(stripped)
    if command := _alone(stripped, picture):
        return command
    if not stripped.startswith("/"):
        return _flagged_again(stripped, picture) or _order(stripped, picture)
    word, rest = first_word(stripped[1:])
    match word.lower().rstrip(":"):
        case "imagine" | "draw" | "create" | "generate" | "dessine" | "dessiner":
            return imagine(_PASTED_NAME.sub("", rest))
        case "atelier":
            return parse_atelier(rest)
        case "studio":
            return parse_studio(rest)
        case other if is_command(other):
            return parse_atelier(f"{other} {rest}")
        case other:
            return unknown_command(other, ["imagine"])


def parse_prompt_field(text: str) -> Command | BadCommand:
    """The command in a field that is labelled as the prompt: an order, or an account's word alone.

    Words such as "again" are a prompt there: nobody looks for a picture's buttons in that field.
    So are sentences, such as "still in line".
    """
    word = word_of(text)
    is_account_word = word is not None and word not in _PICTURE_WORDS
    return parse(text) if is_account_word or clean_edges(text).startswith("/") else imagine(text)


def parse_in_channel(text: str) -> Command | BadCommand:
    """The command in a message that is about no picture: an instruction asks which one is meant."""
    command = parse(text)
    stripped = clean_edges(text)
    if (
        isinstance(command, Imagine)
        and not opens_with_idiom(stripped)
        and not stripped.startswith("/")
        and (reads_as_instruction(command.prompt) or _is_likely_change(stripped, command))
    ):
        return Ask(stripped, command)
    return command


def is_prompt(text: str) -> bool:
    """Whether a message asks for a picture, rather than for anything else."""
    return isinstance(parse_in_channel(text), Imagine | Ask)


def parse_about(  # noqa: PLR0911 - one case a command
    text: str, source: Source, *, mask: Upload | None = None
) -> Command | BadCommand:
    """The command in words about a picture: an instruction with flags, or a command's word."""
    stripped = clean_edges(text)
    word = word_of(stripped)
    if word is Word.VARY:
        return Vary(source)
    if word is Word.UPSCALE:
        return Upscale(source)
    if _NUMBERED_BUTTON.fullmatch(stripped):
        return BadCommand(BadInput.NUMBERED_BUTTON)
    if _FOUR_TIMES.fullmatch(stripped):
        return Upscale(source, 4)
    picture = source if isinstance(source, UUID) else None
    options = _options_alone(stripped, picture)
    if options and picture:
        return options
    again = options or _again(stripped, picture)
    if isinstance(again, Reroll) and isinstance(source, Upload):
        return Vary(
            source,
            again.strength,
            again.count,
            aspect=again.aspect,
            model=again.model,
            seed=again.seed,
            negative=again.negative or "",
        )
    if (
        stripped.startswith("/")
        or _alone(stripped, picture)
        or (picture and _flagged_again(stripped, picture))
    ):
        return parse(stripped, picture=picture)
    if _likely(stripped, least=_SURE) in TOLD:
        return _guessed(stripped, picture) or parse_edit(stripped, source, mask=mask)
    return parse_edit(stripped, source, mask=mask)


def _options_alone(text: str, picture: UUID | None) -> Reroll | None:
    """The order of a picture again with the flags, or in the shape, that are all of a message."""
    prompt = parse_prompt(text, may_be_empty=True)
    if isinstance(prompt, BadCommand):
        return None
    shape = _SHAPE_ALONE.fullmatch(prompt.words)
    if not (prompt.flags and not prompt.words) and shape is None:
        return None
    again = _reroll(prompt, picture)
    return replace(again, aspect=SHAPES[shape["shape"].lower()]) if shape else again


def parse_edit(
    text: str,
    source: Source,
    *,
    mask: Upload | None = None,
    count: int | None = None,
    seed: int | None = None,
) -> Edit | Imagine | BadCommand:
    """An instruction with flags; `count` and `seed` from a form win over flags.

    With a strength and no mask, the picture is a reference that the prompt follows loosely.
    """
    prompt = parse_prompt(text)
    if isinstance(prompt, BadCommand):
        return prompt
    chosen = replace(
        prompt, count=count or prompt.count, seed=prompt.seed if seed is None else seed
    )
    if prompt.strength is not None and mask is None:
        return chosen.imagine(source)
    return Edit(
        source,
        chosen.words,
        mask,
        chosen.count,
        chosen.seed,
        aspect=chosen.aspect,
        model=chosen.model,
        negative=chosen.negative,
        strength=chosen.strength,
    )


def parse_with_files(text: str, files: Sequence[Upload]) -> Command | BadCommand:
    """Words beside uploaded files: one is edited, or varied without words; several are blended."""
    if len(files) > 1:
        return parse_blend(text, tuple(files))
    prompt = parse_prompt(text, may_be_empty=True)
    if isinstance(prompt, BadCommand):
        return prompt
    if prompt.words:
        return parse_about(text, files[0])
    return Vary(
        files[0],
        prompt.strength,
        prompt.count,
        aspect=prompt.aspect,
        model=prompt.model,
        seed=prompt.seed,
        negative=prompt.negative,
    )


def parse_blend(text: str, sources: tuple[Source, ...]) -> Command | BadCommand:
    """A blend with words and flags, both optional."""
    prompt = parse_prompt(text, may_be_empty=True)
    if isinstance(prompt, BadCommand):
        return prompt
    return Blend(
        sources,
        prompt.words,
        aspect=prompt.aspect,
        count=prompt.count,
        model=prompt.model,
        seed=prompt.seed,
        negative=prompt.negative,
        strength=prompt.strength,
    )


def parse_reroll(text: str, job: UUID) -> Command | BadCommand:
    """An order made again, with a changed prompt and flags; both optional."""
    prompt = parse_prompt(text, may_be_empty=True)
    if isinstance(prompt, BadCommand):
        return prompt
    return Reroll(
        job,
        prompt.words or None,
        aspect=prompt.aspect,
        count=prompt.count,
        model=prompt.model,
        seed=prompt.seed,
        negative=prompt.negative or None,
        strength=prompt.strength,
    )


def imagine(text: str) -> Imagine | BadCommand:
    """Parse a prompt with flags, in the shape that its last words suggest where none is given."""
    order = _as_typed(text)
    if isinstance(order, BadCommand) or order.aspect:
        return order
    return replace(order, aspect=implied_aspect(order.prompt))


def _as_typed(text: str) -> Imagine | BadCommand:
    """Parse a prompt with flags. A command's own words at the start are not part of it."""
    prompt = parse_prompt(_without_command_words(text))
    if isinstance(prompt, BadCommand):
        return prompt
    words = _without_command_words(prompt.words)
    if words == prompt.words:
        return prompt.imagine()
    inner = _as_typed(words)  # a flag stood before the command's own words
    return (
        inner if isinstance(inner, BadCommand) else replace(prompt.imagine(), prompt=inner.prompt)
    )


def clean_edges(text: str) -> str:
    """The text from its first visible character, with a plain slash before a command's name."""
    stripped = text.strip().lstrip("\u200b\u200e\u200f\u2060\ufeff").strip()
    if stripped.startswith(("／", "⁄", "∕")):
        return f"/{stripped[1:]}"
    prefixed = _COMMAND.match(stripped)  # as bots were commanded before slash commands
    return f"/{stripped[1:]}" if prefixed else stripped


def _without_command_words(text: str) -> str:
    """The text without "prompt:" (pasted from a slash command) or a leading "imagine a …"."""
    stripped = clean_edges(text)
    if prefix := _OPTION_PREFIX.match(stripped):
        return _PASTED_OPTION.sub(r"--\1 ", stripped[prefix.end() :])
    if word := _IMAGINE_WORD.match(stripped):
        return stripped[word.end() :]
    return stripped


def _alone(  # noqa: PLR0911 - one case a command
    text: str, picture: UUID | None
) -> Command | BadCommand | None:
    """The command of a word typed alone, or of a command's short form such as "waitlist join"."""
    words = text.lower().split()
    if text.startswith("/") and len(words) > 1:
        return None
    if command := _of_sentence(text, picture):
        return command
    match words:
        case ["cancel" | "annule" | "annuler", short] if _SHORT_ID.fullmatch(short):
            return Cancel(short)
        case ["privacy", "export" | "delete"] | ["privacy", "delete", "confirm"]:
            return parse_atelier(text)
        case ["waitlist", "join" | "leave" | "status"]:
            return parse_atelier(text)
        case ["settings", *changes] if changes and all("=" in change for change in changes):
            return parse_atelier(text)
        case ["studio", "roles" | "doors" | "capacity" | "words" | "settings" | "audit"]:
            return parse_atelier(text)
        case ["studio", "doors", _, state] if state in list(DoorState):
            return parse_atelier(text)
        case _:
            return None


def _of_sentence(text: str, picture: UUID | None) -> Command | BadCommand | None:
    """The command of a sentence that asks for one, or the answer to small talk."""
    if wishes := several_wishes(text):
        return wishes
    if named := named_only(text):
        return named if isinstance(named, BadCommand) else _of_word(named, picture)
    if command := _of_account(plain_words(text)) or _requested(text, picture):
        return command
    if is_greeting(text):
        return Help()
    if is_small_talk(text):
        return BadCommand(BadInput.NOTHING_TO_DRAW)
    rests = (_requested(rest, picture) for rest in after_small_talk(text))
    return next((command for command in rests if command), None)


def _of_account(plain: str) -> Command | BadCommand | None:
    """The command about a member's data, pictures or place on the waitlist."""
    if data := _DATA.fullmatch(plain):
        return Privacy("delete" if data["delete"] else "export")
    if _DELETES_A_PICTURE.fullmatch(plain):
        return BadCommand(BadInput.DELETE_BUTTON)
    if waitlist := _WAITLIST.fullmatch(plain):
        return Waitlist("leave" if waitlist["leave"] else "join")
    return None


def _requested(text: str, picture: UUID | None) -> Command | BadCommand | None:
    """The command that a sentence asks for; None for a prompt."""
    word = requested_command(text)
    if word is None and picture is None and is_no_longer_wanted(text):
        return Queue(cancelling=True)
    if word is Word.CANCEL and undoes_a_change(text):
        return Undo(picture)
    if word is Word.CANCEL and word_of(text) is not word:
        if has_caption(text.lower()):
            return None
        if ends_with_scene(text) and not is_imperative_cancel(text):
            return None
        if not is_plain_cancel(text):
            return Queue(cancelling=True)
    return _again(text, picture) if word is None else _of_word(word, picture)


def _order(text: str, picture: UUID | None) -> Command | BadCommand:
    """The order for a prompt; where it has no options, the command that the model holds likely."""
    if _as_typed(text) == Imagine(text) and (guessed := _guessed(text, picture)):
        return guessed
    return imagine(text)


def _is_likely_change(text: str, order: Imagine) -> bool:
    """Whether the model holds a prompt without options likely to be a change to a picture."""
    return (
        order.prompt == text
        and _likely(text) is Intent.CHANGE
        and not has_caption(text.lower())
        and not reads_as_order(text)
    )


def _guessed(text: str, picture: UUID | None) -> Command | BadCommand | None:
    """The command that the model holds likely; None for a prompt or a change."""
    match _likely(text):
        case None | Intent.PROMPT | Intent.CHANGE:
            return None
        case Intent.TALK:
            return BadCommand(BadInput.NOTHING_TO_DRAW)
        case Intent.CANCEL if not is_imperative_cancel(text):
            return Queue(cancelling=True)
        case intent:
            return _of_word(Word(intent), picture)


def _likely(text: str, *, least: float | None = None) -> Intent | None:
    """The intent that the model holds likely enough, or at `least` so; None of a doubtful one."""
    if len(text) > MAX_GUESSED or "\n" in text or FLAG_LIKE.search(text):
        return None
    guess = intent_model().guess(text)
    if guess.intent is Intent.PROMPT:
        return None
    if guess.intent is Intent.CHANGE:
        return guess.intent if guess.probability >= _wanted(guess.intent, text, least) else None
    if ends_with_scene(text) or (reads_as_order(text) and not text.endswith("?")):
        return None
    return _answer(guess, text, least)


def _answer(guess: Guess, text: str, least: float | None) -> Intent | None:
    """The command, or what is only told, that a guess is sure enough of.

    What changes something must also be named in the message. Of what is told, several may be as
    likely while it is clear that there is nothing to draw.
    """
    plain = plain_words(text)
    if guess.intent is Intent.AGAIN and _ANOTHER_THING.search(plain):
        return None
    if guess.intent not in TOLD:
        named = guess.intent not in _NAMED or _NAMED[guess.intent].search(plain)
        long_enough = len(text.split()) >= _FEWEST.get(guess.intent, _FEWEST_ANY)
        if named and long_enough and guess.probability >= _wanted(guess.intent, text, least):
            return guess.intent
        if guess.intent is Intent.CANCEL and named and not long_enough:
            return None  # rules know the short orders: "cancel the show" is a picture
    chance = guess.probability if least else 1 - guess.of_a_picture
    return guess.told if chance >= _wanted(guess.told, text, least) else None


def _wanted(intent: Intent, text: str, least: float | None) -> float:
    """How likely the model must hold an intent of a message."""
    wanted = _LIKELY.get(intent, _LIKELY_ANY) if least is None else least
    return max(wanted, _SURE) if len(text.split()) < _FEW_WORDS else wanted


def _again(text: str, picture: UUID | None) -> Reroll | BadCommand | None:
    """The command of "again but square" and the like; None for any other text."""
    try:
        options = again_with_options(text)
    except FlagError as wrong:
        return wrong.command
    return None if options is None else Reroll(picture=picture, **options)


def _flagged_again(text: str, picture: UUID | None) -> Reroll | None:
    """The command of "again" with flags after it; None for any other text."""
    prompt = parse_prompt(text)
    if isinstance(prompt, BadCommand) or not prompt.flags:
        return None
    if word_of(prompt.words) is not Word.AGAIN and _again(prompt.words, picture) != Reroll(
        picture=picture
    ):
        return None
    return _reroll(prompt, picture)


def _reroll(prompt: Prompt, picture: UUID | None) -> Reroll:
    """The picture again with the prompt's flags."""
    return Reroll(
        picture=picture,
        aspect=prompt.aspect,
        count=prompt.count,
        model=prompt.model,
        seed=prompt.seed,
        negative=prompt.negative or None,
        strength=prompt.strength,
    )


def _of_word(  # noqa: PLR0911 - one case a word
    word: Word, picture: UUID | None
) -> Command | BadCommand | None:
    match word:
        case Word.UNDO:
            return Undo(picture)
        case Word.CANCEL:
            return Cancel()
        case Word.AGAIN:
            return Reroll(picture=picture)
        case Word.VARY:
            return Vary(picture) if picture else BadCommand(BadInput.NEEDS_PICTURE)
        case Word.UPSCALE:
            return Upscale(picture) if picture else BadCommand(BadInput.NEEDS_PICTURE)
        case Word.EDIT | Word.BLEND:
            return BadCommand(BadInput.NEEDS_PICTURE)
        case Word.IMAGINE:
            return BadCommand(BadInput.PROMPT_EMPTY)
        case account:
            return parse_atelier(account.value)
