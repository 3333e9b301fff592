"""Writes Postcard's `vocabulary.json`, which `imaging.vocabulary` reads. Imports no torch.

The file is written with the weights, since other weights may know other words.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from imaging.postcard import informal_captions as captions
from imaging.postcard import vocabulary as words
from imaging.vocabulary import prompt_words

PATH = Path(__file__).parent / "weights" / "vocabulary.json"
CATEGORIES = (
    "things", "colours", "numbers", "sizes", "places", "relations", "grounds", "times", "edits",
    "grammar",
)  # fmt: skip

EXAMPLES: Mapping[words.Language, tuple[str, ...]] = {
    "en": ("a red house in the snow", "a pink heart on a black background"),
    "fr": ("une maison rouge sous la neige", "un cœur rouge sur fond blanc"),
}

_EDITS: Mapping[words.Language, str] = {
    "en": (
        "make turn paint change add put draw place remove delete erase take away replace swap move "
        "set color colour bigger larger smaller background time it to into with for"
    ),
    "fr": (
        "mets peins rends colore ajoute dessine place enlève retire supprime efface remplace "
        "transforme change passe agrandis rapetisse réduis plus fond en par le"
    ),
}
# Words that hold a caption together, and those that are ignored without harm.
_GRAMMAR: Mapping[words.Language, str] = {
    "en": (
        "a an the and or of with in on at to is are it that there some only single one each all "
        "them they both together everything other standing plus no not without s i d"
    ),
    "fr": (
        "un une le la les l d des du de et avec dans sur en au aux est qui il y a seul seule "
        "chacun chaque tous toutes tout ensemble autre autres quelques plus sans pas ne c ce"
    ),
}
_NUMBERS: Mapping[words.Language, str] = {
    "en": "one two three 1 2 3 couple pair single",
    "fr": "un une deux trois 1 2 3",
}


def _pieces(texts: Iterable[str]) -> set[str]:
    return {piece for text in texts for piece in prompt_words(text.lower())}


def _phrases(*tables: Mapping[str, Iterable[str]]) -> list[str]:
    return [phrase for table in tables for choices in table.values() for phrase in choices]


def _tables(language: words.Language, *, informal: bool) -> dict[str, set[str]]:
    """The words of places, relations, grounds and times."""
    formal = {
        "en": (words.PLACES_EN, words.RELATIONS_EN, words.GROUNDS_EN, words.TIMES_EN),
        "fr": (words.PLACES_FR, words.RELATIONS_FR, words.GROUNDS_FR, words.TIMES_FR),
    }[language]
    further = (captions.PLACES, captions.RELATIONS, captions.GROUNDS, captions.TIMES)
    return {
        name: _pieces(_phrases(table, *((more[language],) if informal else ())))
        for name, table, more in zip(
            ("places", "relations", "grounds", "times"), formal, further, strict=True
        )
    }


def _categories(language: words.Language, *, informal: bool) -> dict[str, set[str]]:
    english = language == "en"
    nouns = (noun.en if english else noun.fr for noun in words.THINGS.values())
    palette = words.PALETTE if informal else words.COLOURS
    colours = (
        [word for colour in palette for word in words.COLOURS_EN[colour]]
        if english
        else [form for colour in palette for forms in words.COLOURS_FR[colour] for form in forms]
    )
    sizes = (
        _phrases(words.SIZES_EN)
        if english
        else [form for choices in words.SIZES_FR.values() for forms in choices for form in forms]
    )
    found = {
        "things": _pieces(form for pairs in nouns for pair in pairs for form in pair),
        "colours": _pieces([*colours, "oranges"]),
        "numbers": _pieces([_NUMBERS[language]]),
        "sizes": _pieces(sizes),
        **_tables(language, informal=informal),
        "edits": _pieces([_EDITS[language]]),
        "grammar": _pieces(
            [
                *captions.LEADS[language],
                *captions.TAILS[language],
                *captions.FILLERS[language],
                *captions.BACKGROUNDS[language],
                _GRAMMAR[language],
            ]
        ),
    }
    # "in", "the" and "sur" stand in the phrases of grounds and places but mean neither.
    small = found["grammar"] | found["relations"]
    for name in ("grounds", "times", "places"):
        found[name] -= small
    return found


def build_vocabulary(*, informal: bool) -> dict[str, object]:
    """The content of `vocabulary.json`: the number of things, examples, the words by language and
    category, in lower case and sorted, with their inflected forms and their accents.

    A word may stand in several categories. `informal` adds the words that only informal captions
    have: weights that were not fine-tuned on them don't know those.
    """
    languages: tuple[words.Language, ...] = ("en", "fr")
    by_language = {language: _categories(language, informal=informal) for language in languages}
    return {
        "things": len(words.THINGS),
        "informal": informal,
        "examples": EXAMPLES,
        "words": {
            language: {name: sorted(found[name]) for name in CATEGORIES}
            for language, found in by_language.items()
        },
    }


def write_vocabulary(path: Path = PATH, *, informal: bool = False) -> None:
    """Write `vocabulary.json`."""
    text = json.dumps(build_vocabulary(informal=informal), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
