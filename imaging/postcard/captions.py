"""Captions of scenes by a grammar, in English and French: the first training's kind.

A caption never names anything that the picture doesn't show. It may omit a size, a place or a
thing's natural colour.
"""

import unicodedata
from random import Random

from imaging.postcard import vocabulary as words
from imaging.postcard.scenes import Item, Scene

PREFIXES_EN = (
    "",
    "",
    "",
    "",
    "a picture of ",
    "a postcard of ",
    "a drawing of ",
    "draw ",
    "an image of ",
)
PREFIXES_FR = (
    "",
    "",
    "",
    "",
    "une image avec ",
    "une carte postale avec ",
    "un dessin avec ",
    "dessine ",
)
VOWELS = "aeiouyâàéèêëîïôöûùœh"


def spoken_colour(rng: Random, item: Item, language: words.Language, *, plain: bool = False) -> str:
    """A word for the item's colour, inflected in French. `plain` takes the usual one."""
    if language == "en":
        choices = words.COLOURS_EN[item.colour]
        return choices[0] if plain or rng.random() < 0.7 else rng.choice(choices)
    forms = words.COLOURS_FR[item.colour]
    chosen = forms[0] if plain or rng.random() < 0.7 else rng.choice(forms)
    return chosen[_form(item)]


def _form(item: Item) -> int:
    return (1 if words.THINGS[item.thing].gender == "f" else 0) + (2 if item.count > 1 else 0)


def _article_en(phrase: str) -> str:
    return f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"


def item_en(rng: Random, item: Item, *, colour: bool = True, size: bool = True) -> str:
    """A noun phrase with number, size and colour, such as "two small red houses"."""
    noun = words.THINGS[item.thing]
    singular, plural = noun.en[0] if rng.random() < 0.75 else rng.choice(noun.en)
    adjectives = [rng.choice(words.SIZES_EN[item.size])] if size else []
    adjectives += [spoken_colour(rng, item, "en")] if colour else []
    adjectives = [word for word in adjectives if word]
    if rng.random() < 0.1:
        adjectives.reverse()
    if item.count > 1:
        return " ".join([rng.choice(words.NUMBERS_EN[item.count]), *adjectives, plural])
    phrase = " ".join([*adjectives, singular])
    return phrase if rng.random() < 0.12 else _article_en(phrase)


def item_fr(
    rng: Random, item: Item, *, colour: bool = True, size: bool = True, article: str = "un"
) -> str:
    """The same in French, with the size before and the colour after the noun. `article` is "un" or
    "le".
    """
    noun = words.THINGS[item.thing]
    singular, plural = noun.fr[0] if rng.random() < 0.75 else rng.choice(noun.fr)
    form = _form(item)
    big = rng.choice(words.SIZES_FR[item.size])[form] if size else ""
    parts = [
        big,
        plural if item.count > 1 else singular,
        spoken_colour(rng, item, "fr") if colour else "",
    ]
    phrase = " ".join(part for part in parts if part)
    if item.count > 1:
        number = rng.choice(words.NUMBERS_FR[item.count])
        return f"les {number} {phrase}" if article == "le" else f"{number} {phrase}"
    if article == "le":
        return definite_fr(phrase, noun.gender)
    if rng.random() < 0.08:
        return phrase
    return f"{'une' if noun.gender == 'f' else 'un'} {phrase}"


def definite_fr(phrase: str, gender: str) -> str:
    """The phrase with the definite article."""
    if phrase[0] in VOWELS:
        return f"l'{phrase}"
    return f"{'la' if gender == 'f' else 'le'} {phrase}"


def _contracted(relation: str, phrase: str) -> str:
    """The phrase after the relation, with "de" elided before a vowel."""
    if not relation.endswith(" de"):
        return f"{relation} {phrase}"
    return f"{relation[:-2]}d'{phrase}" if phrase[0] in VOWELS else f"{relation} {phrase}"


def _spoken(rng: Random, scene: Scene, language: words.Language, terse: float) -> list[str]:
    """The noun phrase of each item, with its place where it has one."""
    spoken = []
    for item, place in zip(scene.items, scene.places or ("",) * len(scene.items), strict=True):
        natural = item.colour in words.THINGS[item.thing].natural
        colour = not (natural and rng.random() < terse)
        size = item.size != "medium" and rng.random() < 0.8
        say = item_en if language == "en" else item_fr
        phrase = say(rng, item, colour=colour, size=size)
        if place:
            phrase += " " + rng.choice(
                (words.PLACES_EN if language == "en" else words.PLACES_FR)[place]
            )
        spoken.append(phrase)
    return spoken


def _subject(rng: Random, scene: Scene, language: words.Language, terse: float) -> str:
    spoken = _spoken(rng, scene, language, terse)
    joint = " and " if language == "en" else " et "
    if scene.relation:
        table = words.RELATIONS_EN if language == "en" else words.RELATIONS_FR
        relation = rng.choice(table[scene.relation])
        first, second, *rest = spoken
        tied = (
            f"{first} {relation} {second}"
            if language == "en"
            else f"{first} {_contracted(relation, second)}"
        )
        spoken = [tied, *rest]
    if len(spoken) == 1:
        return spoken[0]
    comma = ", " if rng.random() < 0.8 else joint
    last = joint if rng.random() < 0.8 else ", "
    return comma.join(spoken[:-1]) + last + spoken[-1]


def ground_words(rng: Random, ground: str, language: words.Language) -> str:
    """A phrase for the ground: a landscape, or a background of one colour."""
    if ground in words.LANDSCAPES:
        return rng.choice((words.GROUNDS_EN if language == "en" else words.GROUNDS_FR)[ground])
    if language == "en":
        colour = rng.choice((words.COLOURS_EN[ground][0], *words.COLOURS_EN[ground]))
        whole = f"on {_article_en(colour)} background"
        against = f"against {_article_en(colour)} background"
        return rng.choice((whole, whole, whole, f"{colour} background", f"on {colour}", against))
    colour = rng.choice((words.COLOURS_FR[ground][0], *words.COLOURS_FR[ground]))[0]
    return rng.choice(
        (f"sur un fond {colour}", f"sur un fond {colour}", f"sur fond {colour}", f"fond {colour}")
    )


def caption(rng: Random, scene: Scene, language: words.Language, *, terse: float = 0.5) -> str:
    """A random caption of the scene. `terse` is the probability of omitting a natural colour, and
    of omitting the time by day.
    """
    subject = _subject(rng, scene, language, terse)
    around = [ground_words(rng, scene.ground, language)]
    if scene.time and not (scene.time == "day" and rng.random() < terse):
        table = words.TIMES_EN if language == "en" else words.TIMES_FR
        around.append(rng.choice(table[scene.time]))
    if rng.random() < 0.35:
        rng.shuffle(around)
    joint = rng.choice((", ", ", ", " ")) if len(around) > 1 else ""
    setting = joint.join(around)
    style = rng.random()
    if style < 0.12:
        return f"{setting}, {subject}"
    prefix = rng.choice(PREFIXES_EN if language == "en" else PREFIXES_FR)
    return f"{prefix}{subject}{' ' if rng.random() < 0.6 else ', '}{setting}"


def roughened(rng: Random, text: str) -> str:
    """The text with typing noise: lost accents, another apostrophe, a stray word, a full stop."""
    if rng.random() < 0.15:
        text = "".join(
            c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)
        ).replace("œ", "oe")
    if rng.random() < 0.1:
        text = text.replace("'", "’")
    if rng.random() < 0.05:
        text = text.replace(",", "")
    if rng.random() < 0.08:
        stray = "".join(rng.choice("abcdefghijklmnoprstuvz") for _ in range(rng.randint(2, 7)))
        parts = text.split(" ")
        parts.insert(rng.randint(0, len(parts)), stray)
        text = " ".join(parts)
    return text + rng.choice(("", "", "", ".", "!"))


def known_words() -> list[str]:
    """Every word of captions and instructions, with and without accents: the tokenizer's input."""
    # Listed rather than sampled, so that the tokenizer is the same each time.
    texts: list[str] = [*PREFIXES_EN, *PREFIXES_FR]
    for noun in words.THINGS.values():
        texts += [form for pair in (*noun.en, *noun.fr) for form in pair]
    for english in (
        words.COLOURS_EN,
        words.SIZES_EN,
        words.PLACES_EN,
        words.PLACES_FR,
        words.RELATIONS_EN,
    ):
        texts += [text for choices in english.values() for text in choices]
    for table in (
        words.RELATIONS_FR,
        words.GROUNDS_EN,
        words.GROUNDS_FR,
        words.TIMES_EN,
        words.TIMES_FR,
    ):
        texts += [text for choices in table.values() for text in choices]
    for french in (words.COLOURS_FR, words.SIZES_FR):
        texts += [text for choices in french.values() for forms in choices for text in forms]
    texts += [
        text
        for choices in (*words.NUMBERS_EN.values(), *words.NUMBERS_FR.values())
        for text in choices
    ]
    texts += [
        "a an the and of with against background it them there is are to into in on at by un",
        "une le la les l d des du et de avec fond sur en dans make daytime for please turn",
        "paint change colour color become becomes put set add place draw remove delete erase",
        "take away get rid replace swap bigger larger smaller tiny size night day sunset",
        "evening move time background scene mets mettre peins change transforme ajoute place",
        "dessine enlève retire supprime efface remplace par agrandis rapetisse réduis plus",
        "grand grande petit petite grands grandes petits petites rends fais faire nuit jour",
        "coucher couleur arrière plan fond décor scène passe heure soir colore agrandir",
        "réduire",
        "not no without sans pas",
    ]
    found = {
        word for text in texts for word in text.replace("'", " ").replace("-", " ").lower().split()
    }
    bare = {
        "".join(c for c in unicodedata.normalize("NFD", w) if not unicodedata.combining(c))
        for w in found
    }
    return sorted(found | {word.replace("œ", "oe") for word in bare} | set(",.!?'’-:"))
