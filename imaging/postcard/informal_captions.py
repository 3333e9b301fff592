"""Informal captions, as people type prompts: much is left out, word order and grammar are free.

A caption is written in two steps. `choose_mentions` decides what of a scene is named; everything
else varies at random from scene to scene. `write_caption` then chooses the words. The decision is
returned with the text, as targets for the text encoder.

Two rules hold for every caption: each group of things in the scene is named, and nothing is named
that the scene doesn't show. "A cat" is therefore always exactly one cat.
"""

from dataclasses import dataclass
from random import Random

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import VOWELS, definite_fr, spoken_colour
from imaging.postcard.scenes import Item, Scene
from imaging.vocabulary import without_accents

LEADS: dict[words.Language, tuple[str, ...]] = {
    "en": (
        "draw", "draw me", "make", "paint", "please draw", "show me", "i want", "i would like",
        "can you draw", "picture of", "a picture of", "drawing of", "postcard with", "there is",
        "an image with", "just",
    ),
    "fr": (
        "dessine", "dessine-moi", "dessine moi", "fais", "fais-moi", "peins", "je veux",
        "je voudrais", "montre-moi", "une image de", "image avec", "un dessin de", "il y a",
        "peux-tu dessiner", "carte postale avec", "juste",
    ),
}  # fmt: skip
TAILS: dict[words.Language, tuple[str, ...]] = {
    "en": ("please", "pls", "thanks", "thank you"),
    "fr": ("s'il te plaît", "s'il vous plaît", "svp", "stp", "merci"),
}
FILLERS: dict[words.Language, tuple[str, ...]] = {
    "en": ("nice", "cute", "pretty", "beautiful", "lovely", "simple", "happy"),
    "fr": ("joli", "jolie", "beau", "belle", "simple", "mignon"),
}
GROUNDS: dict[words.Language, dict[str, tuple[str, ...]]] = {
    "en": {
        "meadow": (
            "meadow", "grass", "in the grass", "in the meadow", "in the field", "field",
            "on a meadow", "in a green field", "garden", "in the garden", "in a garden",
        ),
        "sea": (
            "sea", "in the sea", "on the sea", "ocean", "in the ocean", "on water", "the sea",
        ),
        "desert": ("desert", "in a desert", "sand", "on sand", "in the sand"),
        "snow": ("snow", "on the snow", "winter", "in snow", "snowy", "with snow"),
        "city": ("city", "town", "in the street", "street", "in a town", "on the road"),
    },
    "fr": {
        "meadow": (
            "pré", "prairie", "herbe", "dans l'herbe", "dans le pré", "dans la prairie",
            "dans un champ", "champ", "jardin", "dans un jardin", "dans le jardin",
        ),
        "sea": ("mer", "dans la mer", "océan", "sur l'océan", "la mer", "dans l'eau"),
        "desert": ("désert", "dans un désert", "sable", "dans le sable"),
        "snow": ("neige", "sur la neige", "hiver", "l'hiver", "avec de la neige"),
        "city": ("ville", "dans la rue", "rue", "en centre ville", "sur la route"),
    },
}  # fmt: skip
TIMES: dict[words.Language, dict[str, tuple[str, ...]]] = {
    "en": {
        "day": ("day", "daytime", "in the day", "in the daytime"),
        "sunset": ("sunset", "dusk", "evening", "during sunset"),
        "night": ("night", "in the night", "during the night", "nighttime", "by night"),
    },
    "fr": {
        "day": ("jour", "en journée", "la journée"),
        "sunset": ("coucher de soleil", "au coucher de soleil", "le soir", "soir", "crépuscule"),
        "night": ("nuit", "dans la nuit", "il fait nuit", "nocturne"),
    },
}
RELATIONS: dict[words.Language, dict[str, tuple[str, ...]]] = {
    "en": {
        "left of": ("left of", "to the left of", "at the left of"),
        "right of": ("right of", "to the right of", "at the right of"),
        "above": ("above", "over", "on top of", "on"),
        "below": ("under", "below", "underneath", "beneath"),
        "beside": ("next to", "beside", "near", "by", "close to"),
    },
    "fr": {
        "left of": ("à gauche de", "sur la gauche de"),
        "right of": ("à droite de", "sur la droite de"),
        "above": ("au-dessus de", "au dessus de", "sur"),
        "below": ("sous", "en dessous de", "en-dessous de", "au-dessous de"),
        "beside": ("à côté de", "près de", "à coté de"),
    },
}
BACKGROUNDS: dict[words.Language, tuple[str, ...]] = {
    "en": (
        "{} background", "{a} background", "on {a} background", "on {}", "with {a} background",
        "background {}", "background: {}", "{} bg", "plain {} background", "on plain {}",
        "the background is {}", "against {}", "all {} background",
    ),
    "fr": (
        "fond {}", "sur fond {}", "sur un fond {}", "avec un fond {}", "fond : {}", "fond uni {}",
        "arrière-plan {}", "sur un arrière-plan {}", "le fond est {}", "avec fond {}",
    ),
}  # fmt: skip
PLACES: dict[words.Language, dict[str, tuple[str, ...]]] = {
    "en": {
        "left": ("left", "on the left"),
        "right": ("right", "on the right"),
        "top": ("at the top", "up", "on top", "up in the sky"),
        "bottom": ("at the bottom", "down", "bottom"),
        "centre": ("in the middle", "in the center", "centered", "middle"),
        "top left": ("top left", "upper left", "in the top left"),
        "top right": ("top right", "upper right", "in the top right"),
        "bottom left": ("bottom left", "lower left", "in the bottom left"),
        "bottom right": ("bottom right", "lower right", "in the bottom right"),
    },
    "fr": {
        "left": ("à gauche",),
        "right": ("à droite",),
        "top": ("en haut", "tout en haut", "dans le ciel"),
        "bottom": ("en bas", "tout en bas"),
        "centre": ("au centre", "au milieu", "centré"),
        "top left": ("en haut à gauche", "dans le coin en haut à gauche"),
        "top right": ("en haut à droite", "dans le coin en haut à droite"),
        "bottom left": ("en bas à gauche", "dans le coin en bas à gauche"),
        "bottom right": ("en bas à droite", "dans le coin en bas à droite"),
    },
}
SKY = ("up in the sky", "dans le ciel")


@dataclass(frozen=True)
class Mention:
    """What a caption says of one group beside its name."""

    count: bool
    colour: bool
    size: bool
    place: bool


@dataclass(frozen=True)
class Mentions:
    """What a caption says of a scene. `shared` says the one colour once for all the things."""

    items: tuple[Mention, ...]
    relation: bool
    ground: bool
    time: bool
    shared: bool


def choose_mentions(rng: Random, scene: Scene) -> Mentions:
    """Decide what is named. Ground and time are both left out of two captions in five."""
    shared = _one_colour(scene) and rng.random() < 0.7
    pair = paired(scene)
    bare = rng.random() < 0.3
    items = []
    for place, item in enumerate(scene.items):
        natural = item.colour in words.THINGS[item.thing].natural
        items.append(
            Mention(
                count=item.count == 1 or rng.random() < 0.9,
                colour=shared or pair or rng.random() < (0.5 if natural or bare else 0.85),
                size=item.size != "medium" and rng.random() < (0.1 if bare else 0.45),
                place=bool(scene.places and scene.places[place]) and rng.random() < 0.6,
            )
        )
    return Mentions(
        items=tuple(items),
        relation=bool(scene.relation) and rng.random() < 0.75,
        ground=rng.random() < 0.45,
        time=bool(scene.time) and rng.random() < (0.12 if scene.time == "day" else 0.4),
        shared=shared,
    )


def paired(scene: Scene) -> bool:
    """Whether the first two groups are one of the same thing each, in two colours."""
    return len(scene.items) > 1 and scene.items[0].thing == scene.items[1].thing


def _one_colour(scene: Scene) -> bool:
    return len(scene.items) > 1 and not paired(scene) and len({i.colour for i in scene.items}) == 1


def _agreement(item: Item) -> int:
    return (1 if words.THINGS[item.thing].gender == "f" else 0) + (2 if item.count > 1 else 0)


def _noun(rng: Random, item: Item, language: words.Language, *, plural: bool) -> str:
    nouns = words.THINGS[item.thing].en if language == "en" else words.THINGS[item.thing].fr
    singular, several = nouns[0] if rng.random() < 0.8 else rng.choice(nouns)
    return several if plural else singular


def _number(rng: Random, item: Item, mention: Mention, language: words.Language) -> str:
    """The determiner: an article, a number, or what stands for an unsaid number."""
    feminine = words.THINGS[item.thing].gender == "f"
    if item.count == 1:
        if language == "en":
            return rng.choices(("a", "", "one", "1", "a single", "the"), (60, 24, 5, 4, 2, 5))[0]
        one = "une" if feminine else "un"
        only = f"{one} {'seule' if feminine else 'seul'}"
        return rng.choices((one, "", "1", only, "le"), (62, 24, 5, 3, 6))[0]
    if not mention.count:
        return rng.choice(("", "some") if language == "en" else ("des", "des", "", "quelques"))
    if language == "en":
        spelled, digit = words.NUMBERS_EN[item.count]
        pair = ("a couple of", "a pair of") if item.count == 2 else (spelled, spelled)
        return rng.choices((spelled, digit, pair[0], pair[1], f"the {spelled}"), (60, 30, 4, 4, 2))[
            0
        ]
    spelled, digit = words.NUMBERS_FR[item.count]
    return rng.choices((spelled, digit, f"les {spelled}"), (64, 32, 4))[0]


def _size(rng: Random, item: Item, language: words.Language) -> str:
    if language == "en":
        return rng.choice(words.SIZES_EN[item.size])
    return rng.choice(words.SIZES_FR[item.size])[_agreement(item)]


def _item_en(rng: Random, item: Item, mention: Mention, *, colour: bool) -> str:
    number = _number(rng, item, mention, "en")
    noun = _noun(rng, item, "en", plural=item.count > 1)
    size = _size(rng, item, "en") if mention.size else ""
    tint = spoken_colour(rng, item, "en") if colour else ""
    style = rng.random()
    if tint and style < 0.06:
        parts, after = [size, noun, tint], ""
    elif tint and style < 0.1:
        verb = "that is" if item.count == 1 else "that are"
        parts, after = [size, noun], f" {verb} {tint}" if style < 0.08 else f" in {tint}"
    else:
        parts, after = [size, tint, noun], ""
    phrase = " ".join(part for part in parts if part) + after
    if number == "a" and phrase[0] in "aeiou":
        number = "an"
    return f"{number} {phrase}".strip()


def _item_fr(rng: Random, item: Item, mention: Mention, *, colour: bool) -> str:
    number = _number(rng, item, mention, "fr")
    noun = _noun(rng, item, "fr", plural=item.count > 1)
    size = _size(rng, item, "fr") if mention.size else ""
    tint = spoken_colour(rng, item, "fr") if colour else ""
    style = rng.random()
    if tint and style < 0.03:
        parts = [size, tint, noun]
    elif size and style < 0.06:
        parts = [noun, size, tint]
    else:
        parts = [size, noun, tint]
    phrase = " ".join(part for part in parts if part)
    if number == "le":
        return definite_fr(phrase, words.THINGS[item.thing].gender)
    return f"{number} {phrase}".strip()


def _item(
    rng: Random, item: Item, mention: Mention, language: words.Language, *, colour: bool
) -> str:
    say = _item_en if language == "en" else _item_fr
    return say(rng, item, mention, colour=colour)


def _with_place(rng: Random, phrase: str, place: str, item: Item, language: words.Language) -> str:
    usual = (words.PLACES_EN if language == "en" else words.PLACES_FR)[place]
    choices = [*usual, *PLACES[language][place]]
    if item.thing not in words.SKY_THINGS:
        choices = [choice for choice in choices if choice not in SKY]
    where = rng.choice(choices)
    style = rng.random()
    if style < 0.15:
        return f"{where} {phrase}"
    if style < 0.22:
        return f"{phrase} ({where})"
    return f"{phrase} {where}"


def _pair(rng: Random, first: Item, second: Item, language: words.Language, size: bool) -> str:
    """Two of one thing in two colours: "two cats, one blue and one red"."""
    noun = _noun(rng, first, language, plural=False)
    if language == "en":
        a, b = (spoken_colour(rng, item, "en") for item in (first, second))
        plural = _noun(rng, first, "en", plural=True)
        big = _size(rng, first, "en") + " " if size else ""
        number = rng.choice(("two", "two", "2"))
        return rng.choice(
            (
                f"{number} {big}{plural}, one {a} and one {b}",
                f"{number} {big}{plural}, one {a}, one {b}",
                f"{number} {big}{plural}: one {a} one {b}",
                f"{number} {big}{plural}, one is {a} and the other is {b}",
                f"one {a} {big}{noun} and one {b} {noun}",
                f"one {a} {big}{noun} and one {b}",
                f"a {a} {big}{noun} and a {b} {noun}",
                f"a {a} {noun}, a {b} {noun}",
                f"a {a} {noun} and a {b} one",
                f"{number} {big}{plural}, {a} and {b}",
            )
        )
    forms = 1 if words.THINGS[first.thing].gender == "f" else 0
    a, b = (spoken_colour(rng, item, "fr") for item in (first, second))
    one = ("un", "une")[forms]
    plural = _noun(rng, first, "fr", plural=True)
    number = rng.choice(("deux", "deux", "2"))
    big = _size(rng, Item(first.thing, "", first.size, 2, 0, 0), "fr") + " " if size else ""
    return rng.choice(
        (
            f"{number} {big}{plural}, {one} {a} et {one} {b}",
            f"{number} {big}{plural} : {one} {a}, {one} {b}",
            f"{number} {big}{plural}, l'{one} {a} et l'autre {b}",
            f"{number} {big}{plural}, l'{one} {a}, l'autre {b}",
            f"{one} {noun} {a} et {one} {noun} {b}",
            f"{one} {noun} {a}, {one} {noun} {b}",
            f"{one} {noun} {a} et {one} {b}",
        )
    )


def _related(
    rng: Random, first: str, second: str, relation: str, language: words.Language
) -> tuple[str, bool]:
    """The two phrases tied by a relation, and whether the second one now stands first."""
    usual = (words.RELATIONS_EN if language == "en" else words.RELATIONS_FR)[relation]
    said = rng.choice((*usual, *RELATIONS[language][relation]))
    tied = _contracted(said, second)
    style = rng.random()
    if style < 0.12:
        return f"{tied}, {first}", True
    if style < 0.2:
        verbs = ("is", "standing") if language == "en" else ("est", "qui est")
        return f"{first} {rng.choice(verbs)} {tied}", False
    return f"{first} {tied}", False


def _contracted(relation: str, phrase: str) -> str:
    """French joins "de" with what follows: "d'un arbre", "du chat", "des trois chats"."""
    if not relation.endswith(" de"):
        return f"{relation} {phrase}"
    start = relation[:-2]
    for article, joined in (("le ", "du "), ("les ", "des ")):
        if phrase.startswith(article):
            return f"{start}{joined}{phrase[len(article) :]}"
    return f"{start}d'{phrase}" if phrase[0] in VOWELS else f"{start}de {phrase}"


def _shared_colour(rng: Random, scene: Scene, language: words.Language) -> str:
    """The colour that all the things have, said behind their list."""
    if language == "en":
        tint = spoken_colour(rng, scene.items[0], "en")
        said = ("all {}", "all {}", "all of them {}", "everything {}", "all in {}", "they are {}")
        return rng.choice(said).format(tint)
    feminine = all(words.THINGS[item.thing].gender == "f" for item in scene.items)
    form = 3 if feminine else 2
    colour = rng.choice(words.COLOURS_FR[scene.items[0].colour])
    every = "toutes" if feminine else "tous"
    return rng.choice(
        (
            f"{every} {colour[form]}",
            f"{every} {colour[form]}",
            f"tout en {colour[0]}",
            f"le tout en {colour[0]}",
            f"tous {colour[2]}",
        )
    )


def _joined(rng: Random, phrases: list[str], language: words.Language) -> str:
    """A list as people write one: commas, "and", plus signs, or nothing but spaces."""
    if len(phrases) == 1:
        return phrases[0]
    joint = " and " if language == "en" else " et "
    beside = " with " if language == "en" else " avec "
    style = rng.random()
    if style < 0.5:
        return ", ".join(phrases[:-1]) + joint + phrases[-1]
    if style < 0.66:
        return ", ".join(phrases)
    if style < 0.74:
        return joint.join(phrases)
    if style < 0.86:
        return phrases[0] + beside + joint.join(phrases[1:])
    return rng.choice((" + ", " & ", ". ", "; ", " plus ", ",")).join(phrases)


def _things(
    rng: Random, scene: Scene, said: Mentions, language: words.Language, mixed: bool
) -> str:
    """All groups of the scene, with their relation."""

    def tongue() -> words.Language:
        return rng.choice(("en", "fr")) if mixed else language

    each = []
    for place, (item, mention) in enumerate(zip(scene.items, said.items, strict=True)):
        speech = tongue()
        phrase = _item(rng, item, mention, speech, colour=mention.colour and not said.shared)
        if mention.place:
            phrase = _with_place(rng, phrase, scene.places[place], item, speech)
        each.append(phrase)
    if paired(scene) and not any(mention.place for mention in said.items[:2]):
        first, second = scene.items[:2]
        each[:2] = [_pair(rng, first, second, tongue(), said.items[0].size)]
    elif said.relation:
        tied, turned = _related(rng, each[0], each[1], scene.relation, tongue())
        # "under a tree, a cat and a dog" would put the dog there too.
        each = [*each[2:], tied] if turned else [tied, *each[2:]]
    elif not scene.relation:
        rng.shuffle(each)
    listed = _joined(rng, each, language)
    if said.shared:
        listed += rng.choice((", ", ", ", " ")) + _shared_colour(rng, scene, tongue())
    elif len(scene.items) > 1 and not said.relation and rng.random() < 0.06:
        listed += " together" if language == "en" else " ensemble"
    return listed


def _ground(rng: Random, ground: str, language: words.Language) -> str:
    if ground in words.LANDSCAPES:
        usual = (words.GROUNDS_EN if language == "en" else words.GROUNDS_FR)[ground]
        return rng.choice((*usual, *GROUNDS[language][ground]))
    if language == "en":
        colour = rng.choice((words.COLOURS_EN[ground][0], *words.COLOURS_EN[ground]))
    else:
        colour = rng.choice((words.COLOURS_FR[ground][0], *words.COLOURS_FR[ground]))[0]
    article = "an" if colour[0] in "aeiou" else "a"
    return rng.choice(BACKGROUNDS[language]).format(colour, a=f"{article} {colour}")


def _setting(
    rng: Random, scene: Scene, said: Mentions, language: words.Language, mixed: bool
) -> list[str]:
    around = []
    if said.ground:
        around.append(_ground(rng, scene.ground, rng.choice(("en", "fr")) if mixed else language))
    if said.time:
        usual = (words.TIMES_EN if language == "en" else words.TIMES_FR)[scene.time]
        around.append(rng.choice((*usual, *TIMES[language][scene.time])))
    if rng.random() < 0.35:
        rng.shuffle(around)
    return around


def write_caption(
    rng: Random, scene: Scene, said: Mentions, language: words.Language, *, mixed: bool = False
) -> str:
    """The words for what is said of the scene; `mixed` draws the language of each phrase anew."""
    things = _things(rng, scene, said, language, mixed)
    around = _setting(rng, scene, said, language, mixed)
    if rng.random() < 0.2:
        things = f"{rng.choice(LEADS[language])} {things}"
    if around and rng.random() < 0.15:
        text = f"{', '.join(around)}{rng.choice((', ', ': ', ' '))}{things}"
    else:
        glue = [rng.choice((" ", ", ", ", ", ". ")) for _ in around]
        text = things + "".join(g + part for g, part in zip(glue, around, strict=True))
    if rng.random() < 0.05:
        text += rng.choice((" ", ", ")) + rng.choice(TAILS[language])
    return text


def _with_typo(rng: Random, text: str) -> str:
    """One letter of one longer word dropped, doubled or swapped with its neighbour."""
    parts = text.split(" ")
    long = [place for place, word in enumerate(parts) if len(word) > 4 and word.isalpha()]
    if not long:
        return text
    place = rng.choice(long)
    word = parts[place]
    # The first letter is seldom mistyped, and readers lean on it.
    at = rng.randrange(1, len(word) - 1)
    parts[place] = rng.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )
    return " ".join(parts)


def hurried(rng: Random, text: str, language: words.Language) -> str:
    """The text as it is typed in a hurry: accents and commas lost, typos, capitals, a filler."""
    if rng.random() < 0.25:
        text = without_accents(text)
    if rng.random() < 0.15:
        text = text.replace("'", rng.choice(("’", " ", "")))
    if rng.random() < 0.08:
        text = " ".join(text.replace(",", " ").split())
    if rng.random() < 0.06:
        text = _with_typo(rng, text)
    if rng.random() < 0.08:
        parts = text.split(" ")
        parts.insert(rng.randint(0, len(parts)), rng.choice(FILLERS[language]))
        text = " ".join(parts)
    if rng.random() < 0.12:
        text = rng.choice((text.upper, text.title, text.capitalize))()
    return text + rng.choice(("", "", "", "", ".", "!", " !"))


def informal_caption(rng: Random, scene: Scene) -> tuple[str, Mentions]:
    """One caption of the scene in either language or both, and what it says."""
    said = choose_mentions(rng, scene)
    language: words.Language = rng.choice(("en", "fr"))
    mixed = rng.random() < 0.06
    return hurried(rng, write_caption(rng, scene, said, language, mixed=mixed), language), said
