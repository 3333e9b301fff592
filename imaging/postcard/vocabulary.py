"""Postcard's vocabulary in English and French: things, colours, sizes, places, grounds, times.

Other modules identify each concept by its English key; captions choose among the words of a
language.
"""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "fr"]
Colour = tuple[int, int, int]

SKY_THINGS = frozenset(
    {
        "moon",
        "sun",
        "star",
        "cloud",
        "bird",
        "balloon",
        "rocket",
        "butterfly",
        "heart",
        "circle",
        "square",
        "triangle",
    }
)


@dataclass(frozen=True)
class Noun:
    """A thing: singular and plural forms in English and French, French gender, natural colours."""

    en: tuple[tuple[str, str], ...]
    fr: tuple[tuple[str, str], ...]
    gender: Literal["m", "f"]
    natural: tuple[str, ...]


THINGS: dict[str, Noun] = {
    "house": Noun(
        (("house", "houses"), ("cottage", "cottages"), ("home", "homes")),
        (("maison", "maisons"),),
        "f",
        ("red", "orange", "white"),
    ),
    "tree": Noun((("tree", "trees"),), (("arbre", "arbres"),), "m", ("green",)),
    "boat": Noun(
        (("boat", "boats"), ("ship", "ships"), ("sailboat", "sailboats")),
        (("bateau", "bateaux"), ("voilier", "voiliers")),
        "m",
        ("red", "brown", "blue"),
    ),
    "car": Noun(
        (("car", "cars"), ("automobile", "automobiles")),
        (("voiture", "voitures"), ("auto", "autos")),
        "f",
        ("red", "blue", "yellow"),
    ),
    "cat": Noun(
        (("cat", "cats"), ("kitten", "kittens")),
        (("chat", "chats"), ("chaton", "chatons")),
        "m",
        ("orange", "black", "white"),
    ),
    "fish": Noun(
        (("fish", "fish"), ("goldfish", "goldfish")),
        (("poisson", "poissons"),),
        "m",
        ("orange", "blue"),
    ),
    "bird": Noun((("bird", "birds"),), (("oiseau", "oiseaux"),), "m", ("blue", "red", "yellow")),
    "moon": Noun(
        (("moon", "moons"), ("crescent", "crescents")),
        (("lune", "lunes"),),
        "f",
        ("white", "yellow"),
    ),
    "sun": Noun((("sun", "suns"),), (("soleil", "soleils"),), "m", ("yellow", "orange")),
    "star": Noun((("star", "stars"),), (("étoile", "étoiles"),), "f", ("yellow",)),
    "heart": Noun(
        (("heart", "hearts"),), (("cœur", "cœurs"), ("coeur", "coeurs")), "m", ("red", "pink")
    ),
    "balloon": Noun(
        (("balloon", "balloons"),), (("ballon", "ballons"),), "m", ("red", "yellow", "purple")
    ),
    "flower": Noun(
        (("flower", "flowers"), ("daisy", "daisies")),
        (("fleur", "fleurs"),),
        "f",
        ("pink", "red", "purple"),
    ),
    "mountain": Noun(
        (("mountain", "mountains"), ("peak", "peaks")),
        (("montagne", "montagnes"),),
        "f",
        ("brown", "purple"),
    ),
    "cloud": Noun((("cloud", "clouds"),), (("nuage", "nuages"),), "m", ("white",)),
    "lighthouse": Noun((("lighthouse", "lighthouses"),), (("phare", "phares"),), "m", ("red",)),
    "mushroom": Noun(
        (("mushroom", "mushrooms"), ("toadstool", "toadstools")),
        (("champignon", "champignons"),),
        "m",
        ("red", "brown"),
    ),
    "umbrella": Noun(
        (("umbrella", "umbrellas"), ("parasol", "parasols")),
        (("parapluie", "parapluies"), ("parasol", "parasols")),
        "m",
        ("purple", "blue", "red"),
    ),
    "apple": Noun((("apple", "apples"),), (("pomme", "pommes"),), "f", ("red", "green")),
    "rocket": Noun(
        (("rocket", "rockets"), ("spaceship", "spaceships")),
        (("fusée", "fusées"),),
        "f",
        ("red", "white"),
    ),
    "butterfly": Noun(
        (("butterfly", "butterflies"),),
        (("papillon", "papillons"),),
        "m",
        ("orange", "purple", "blue"),
    ),
    "circle": Noun(
        (("circle", "circles"), ("disc", "discs"), ("dot", "dots"), ("ball", "balls")),
        (("cercle", "cercles"), ("rond", "ronds"), ("disque", "disques")),
        "m",
        ("red", "blue"),
    ),
    "square": Noun(
        (("square", "squares"), ("box", "boxes")), (("carré", "carrés"),), "m", ("blue", "green")
    ),
    "triangle": Noun(
        (("triangle", "triangles"),), (("triangle", "triangles"),), "m", ("green", "yellow")
    ),
}

COLOURS: dict[str, Colour] = {
    "red": (214, 45, 48),
    "orange": (244, 132, 32),
    "yellow": (250, 212, 58),
    "green": (60, 158, 70),
    "blue": (44, 100, 218),
    "purple": (128, 66, 178),
    "pink": (246, 150, 192),
    "brown": (122, 78, 46),
    "black": (38, 38, 44),
    "white": (247, 247, 242),
}

# Colours of scenes. Grey was added later: the detector doesn't classify it, and no prompt made from
# a scene names it.
GREY = "grey"
PALETTE: dict[str, Colour] = {**COLOURS, GREY: (136, 138, 144)}

COLOURS_EN: dict[str, tuple[str, ...]] = {
    "red": ("red", "crimson", "scarlet"),
    "orange": ("orange", "tangerine"),
    "yellow": ("yellow", "golden"),
    "green": ("green", "emerald"),
    "blue": ("blue", "azure"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rosy"),
    "brown": ("brown", "chestnut"),
    "black": ("black", "ebony"),
    "white": ("white", "ivory"),
    "grey": ("grey", "gray"),
}

# Masculine, feminine, masculine plural, feminine plural.
COLOURS_FR: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "red": (
        ("rouge", "rouge", "rouges", "rouges"),
        ("écarlate", "écarlate", "écarlates", "écarlates"),
    ),
    "orange": (("orange", "orange", "orange", "orange"),),
    "yellow": (("jaune", "jaune", "jaunes", "jaunes"), ("doré", "dorée", "dorés", "dorées")),
    "green": (("vert", "verte", "verts", "vertes"),),
    "blue": (("bleu", "bleue", "bleus", "bleues"),),
    "purple": (
        ("violet", "violette", "violets", "violettes"),
        ("mauve", "mauve", "mauves", "mauves"),
    ),
    "pink": (("rose", "rose", "roses", "roses"),),
    "brown": (("marron", "marron", "marron", "marron"), ("brun", "brune", "bruns", "brunes")),
    "black": (("noir", "noire", "noirs", "noires"),),
    "white": (("blanc", "blanche", "blancs", "blanches"),),
    "grey": (("gris", "grise", "gris", "grises"),),
}

SIZES_EN: dict[str, tuple[str, ...]] = {
    "small": ("small", "little", "tiny"),
    "medium": ("",),
    "large": ("big", "large", "huge"),
}

SIZES_FR: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "small": (
        ("petit", "petite", "petits", "petites"),
        ("minuscule", "minuscule", "minuscules", "minuscules"),
    ),
    "medium": (("", "", "", ""),),
    "large": (
        ("grand", "grande", "grands", "grandes"),
        ("gros", "grosse", "gros", "grosses"),
        ("énorme", "énorme", "énormes", "énormes"),
    ),
}

NUMBERS_EN = {2: ("two", "2"), 3: ("three", "3")}
NUMBERS_FR = {2: ("deux", "2"), 3: ("trois", "3")}

# Places as (column, row) of thirds; None leaves that axis free.
PLACES: dict[str, tuple[int | None, int | None]] = {
    "left": (0, None),
    "right": (2, None),
    "top": (None, 0),
    "bottom": (None, 2),
    "centre": (1, 1),
    "top left": (0, 0),
    "top right": (2, 0),
    "bottom left": (0, 2),
    "bottom right": (2, 2),
}

PLACES_EN: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "at the left", "on the left side"),
    "right": ("on the right", "at the right", "on the right side"),
    "top": ("at the top", "up high"),
    "bottom": ("at the bottom", "down low"),
    "centre": ("in the middle", "in the centre", "in the center"),
    "top left": ("at the top left", "in the top left corner", "in the upper left"),
    "top right": ("at the top right", "in the top right corner", "in the upper right"),
    "bottom left": ("at the bottom left", "in the bottom left corner", "in the lower left"),
    "bottom right": ("at the bottom right", "in the bottom right corner", "in the lower right"),
}

PLACES_FR: dict[str, tuple[str, ...]] = {
    "left": ("à gauche", "sur la gauche"),
    "right": ("à droite", "sur la droite"),
    "top": ("en haut",),
    "bottom": ("en bas",),
    "centre": ("au milieu", "au centre"),
    "top left": ("en haut à gauche",),
    "top right": ("en haut à droite",),
    "bottom left": ("en bas à gauche",),
    "bottom right": ("en bas à droite",),
}

RELATIONS_EN: dict[str, tuple[str, ...]] = {
    "left of": ("left of", "to the left of", "on the left of"),
    "right of": ("right of", "to the right of", "on the right of"),
    "above": ("above", "over"),
    "below": ("below", "under", "beneath"),
    "beside": ("beside", "next to"),
}

RELATIONS_FR: dict[str, tuple[str, ...]] = {
    "left of": ("à gauche de",),
    "right of": ("à droite de",),
    "above": ("au-dessus de", "au dessus de"),
    "below": ("sous", "au-dessous de", "en dessous de"),
    "beside": ("à côté de", "près de"),
}

LANDSCAPES = ("meadow", "sea", "desert", "snow", "city")

GROUNDS_EN: dict[str, tuple[str, ...]] = {
    "meadow": ("in a meadow", "on the grass", "in a field"),
    "sea": ("at sea", "by the sea", "on the ocean", "on the water"),
    "desert": ("in the desert", "on the sand"),
    "snow": ("in the snow", "in winter", "snow"),
    "city": ("in the city", "in town", "in a city"),
}

GROUNDS_FR: dict[str, tuple[str, ...]] = {
    "meadow": ("dans un pré", "dans une prairie", "sur l'herbe"),
    "sea": ("en mer", "au bord de la mer", "sur la mer", "sur l'eau"),
    "desert": ("dans le désert", "sur le sable"),
    "snow": ("sous la neige", "dans la neige", "en hiver"),
    "city": ("en ville", "dans la ville", "dans une ville"),
}

TIMES = ("day", "sunset", "night")

TIMES_EN: dict[str, tuple[str, ...]] = {
    "day": ("by day", "during the day", "in daylight"),
    "sunset": ("at sunset", "at dusk", "in the evening"),
    "night": ("at night", "by night", "under a night sky"),
}

TIMES_FR: dict[str, tuple[str, ...]] = {
    "day": ("le jour", "de jour", "en plein jour"),
    "sunset": ("au coucher du soleil", "soleil couchant", "au soleil couchant", "au crépuscule"),
    "night": ("la nuit", "de nuit", "pendant la nuit"),
}

# Width and height in pixels; every side is a multiple of 32.
ASPECTS: dict[str, tuple[int, int]] = {
    "1:1": (128, 128),
    "3:2": (192, 128),
    "2:3": (128, 192),
    "4:5": (128, 160),
    "16:9": (224, 128),
    "9:16": (128, 224),
}
