"""Edit examples: a scene, an instruction in English or French, and the scene after the edit.

As in InstructPix2Pix (Brooks et al. 2023), both pictures agree in everything that the instruction
doesn't name. Here both are drawn, so they agree exactly, down to the texture of the ground.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import ground_words, item_en, item_fr, roughened
from imaging.postcard.scenes import SPANS, Item, Scene, held_out, is_at_place, overlap, random_scene

KINDS = ("recolour", "add", "remove", "time", "ground", "resize", "replace")


@dataclass(frozen=True)
class Edit:
    """An instruction and the scenes before and after it. `target` is the thing it names, "" for
    time and ground.
    """

    kind: str
    before: Scene
    after: Scene
    instruction: str
    language: words.Language
    target: str = ""


def _the(rng: Random, item: Item, language: words.Language, *, colour: float = 0.25) -> str:
    """A definite noun phrase: "the house", « la maison ». `colour` is the probability of naming the
    colour.
    """
    noun = words.THINGS[item.thing]
    shown = rng.random() < colour
    if language == "fr":
        return item_fr(rng, item, colour=shown, size=False, article="le")
    singular, plural = noun.en[0] if rng.random() < 0.8 else rng.choice(noun.en)
    tint = f"{words.COLOURS_EN[item.colour][0]} " if shown else ""
    return f"the {tint}{plural if item.count > 1 else singular}"


def _with_item(scene: Scene, index: int, item: Item | None) -> Scene:
    items, places = list(scene.items), list(scene.places)
    if item is None:
        del items[index], places[index]
    else:
        items[index] = item
    return replace(scene, items=tuple(items), places=tuple(places), relation="")


def _form(item: Item, forms: tuple[str, str, str, str]) -> str:
    return forms[
        (1 if words.THINGS[item.thing].gender == "f" else 0) + (2 if item.count > 1 else 0)
    ]


def _recolour(rng: Random, scene: Scene, language: words.Language) -> Edit | None:
    index = rng.randrange(len(scene.items))
    item = scene.items[index]
    colour = rng.choice([c for c in words.COLOURS if c not in (item.colour, scene.ground)])
    new = replace(item, colour=colour)
    the = _the(rng, item, language)
    if language == "en":
        said = (
            words.COLOURS_EN[colour][0]
            if rng.random() < 0.75
            else rng.choice(words.COLOURS_EN[colour])
        )
        verb = rng.choice(
            (
                "make {} {}",
                "make {} {}",
                "turn {} {}",
                "paint {} {}",
                "change {} to {}",
                "change the color of {} to {}",
            )
        )
        text = verb.format(the, said)
    else:
        forms = (
            words.COLOURS_FR[colour][0]
            if rng.random() < 0.75
            else rng.choice(words.COLOURS_FR[colour])
        )
        verb = rng.choice(("mets {} en {}", "peins {} en {}", "rends {} {}", "colore {} en {}"))
        text = verb.format(the, _form(item, forms) if verb.startswith("rends") else forms[0])
    return Edit("recolour", scene, _with_item(scene, index, new), text, language, item.thing)


def _add(rng: Random, scene: Scene, language: words.Language) -> Edit | None:
    if len(scene.items) > 2:
        return None
    # The given scene is the one after the edit; the one before lacks its last item.
    index = len(scene.items) - 1
    item = scene.items[index]
    if len(scene.items) < 2:
        return None
    place = next(
        (
            p
            for p in rng.sample(list(words.PLACES), 9)
            if is_at_place(p, item.x, item.y, scene.extent, 0.0)
        ),
        "",
    )
    named = place if rng.random() < 0.5 else ""
    coloured = not (item.colour in words.THINGS[item.thing].natural and rng.random() < 0.5)
    sized = item.size != "medium" and rng.random() < 0.7
    if language == "en":
        verb, what = (
            rng.choice(("add", "add", "put", "draw", "place")),
            item_en(rng, item, colour=coloured, size=sized),
        )
        where = rng.choice(words.PLACES_EN[named]) if named else ""
    else:
        verb, what = (
            rng.choice(("ajoute", "ajoute", "mets", "dessine", "place")),
            item_fr(rng, item, colour=coloured, size=sized),
        )
        where = rng.choice(words.PLACES_FR[named]) if named else ""
    after = replace(scene, relation="", places=(*scene.places[:-1], named))
    return Edit(
        "add",
        _with_item(scene, index, None),
        after,
        f"{verb} {what} {where}".strip(),
        language,
        item.thing,
    )


def _remove(rng: Random, scene: Scene, language: words.Language) -> Edit | None:
    index = rng.randrange(len(scene.items))
    if len(scene.items) < 2:
        return None
    the = _the(rng, scene.items[index], language)
    verb = rng.choice(
        ("remove", "remove", "delete", "erase", "take away")
        if language == "en"
        else ("enlève", "retire", "supprime", "efface")
    )
    return Edit(
        "remove",
        scene,
        _with_item(scene, index, None),
        f"{verb} {the}",
        language,
        scene.items[index].thing,
    )


def _time(rng: Random, scene: Scene, language: words.Language) -> Edit | None:
    if not scene.time:
        return None
    time = rng.choice([t for t in words.TIMES if t != scene.time])
    bare_en = {
        "day": ("day", "daytime"),
        "sunset": ("sunset", "dusk", "evening"),
        "night": ("night",),
    }[time]
    bare_fr = {
        "day": ("le jour",),
        "sunset": ("le coucher du soleil", "le soir", "le crépuscule"),
        "night": ("la nuit",),
    }[time]
    if language == "en":
        bare, whole = rng.choice(bare_en), rng.choice(words.TIMES_EN[time])
        text = rng.choice(
            (
                f"make it {bare}",
                f"make it {bare}",
                f"change the time to {bare}",
                f"turn it into {bare}",
                whole,
            )
        )
    else:
        bare, whole = rng.choice(bare_fr), rng.choice(words.TIMES_FR[time])
        text = rng.choice((f"mets {bare}", f"mets {bare}", f"passe à {bare}", whole))
    return Edit("time", scene, replace(scene, time=time), text, language)


def _ground(rng: Random, scene: Scene, language: words.Language) -> Edit | None:
    taken = {scene.ground, *(item.colour for item in scene.items)}
    ground = rng.choice(
        [g for g in (*words.LANDSCAPES, *words.LANDSCAPES, *words.COLOURS) if g not in taken]
    )
    landscape = ground in words.LANDSCAPES
    after = replace(scene, ground=ground, time=(scene.time or "day") if landscape else "")
    if landscape:
        where = ground_words(rng, ground, language)
        verbs = ("put it", "move it", "place it") if language == "en" else ("mets-le", "place-le")
        text = f"{rng.choice(verbs)} {where}"
        bare = {
            "meadow": ("meadow", "field", "pré", "prairie"),
            "sea": ("sea", "ocean", "mer", "mer"),
            "desert": ("desert", "desert", "désert", "désert"),
            "snow": ("snow", "snow", "neige", "neige"),
            "city": ("city", "city", "ville", "ville"),
        }[ground]
        if rng.random() < 0.3:
            text = (
                f"change the background to {rng.choice(bare[:2])}"
                if language == "en"
                else f"change le fond en {rng.choice(bare[2:])}"
            )
        return Edit("ground", scene, after, text, language)
    if language == "en":
        verb = rng.choice(
            (
                "make the background {}",
                "change the background to {}",
                "turn the background {}",
                "paint the background {}",
            )
        )
        text = verb.format(words.COLOURS_EN[ground][0])
    else:
        verb = rng.choice(
            ("mets le fond en {}", "change le fond en {}", "peins le fond en {}", "mets un fond {}")
        )
        text = verb.format(words.COLOURS_FR[ground][0][0])
    return Edit("ground", scene, after, text, language)


def _resize(rng: Random, scene: Scene, language: words.Language) -> Edit | None:
    index = rng.randrange(len(scene.items))
    item = scene.items[index]
    order = tuple(SPANS[1])
    grow = rng.random() < 0.5
    step = order.index(item.size) + (1 if grow else -1)
    if not 0 <= step < len(order):
        return None
    the = _the(rng, item, language)
    if language == "en":
        text = f"make {the} {rng.choice(('bigger', 'larger') if grow else ('smaller',))}"
    elif rng.random() < 0.5:
        text = f"{rng.choice(('agrandis',) if grow else ('rapetisse', 'réduis'))} {the}"
    else:
        forms = (
            ("grand", "grande", "grands", "grandes")
            if grow
            else ("petit", "petite", "petits", "petites")
        )
        text = f"rends {the} plus {_form(item, forms)}"
    return Edit(
        "resize",
        scene,
        _with_item(scene, index, replace(item, size=order[step])),
        text,
        language,
        item.thing,
    )


def _replace(rng: Random, scene: Scene, language: words.Language) -> Edit | None:
    index = rng.randrange(len(scene.items))
    item = scene.items[index]
    thing = rng.choice([t for t in words.THINGS if t not in {i.thing for i in scene.items}])
    new = replace(item, thing=thing)
    the = _the(rng, item, language)
    if language == "en":
        what = item_en(rng, new, colour=False, size=False)
        text = rng.choice(
            (
                f"replace {the} with {what}",
                f"turn {the} into {what}",
                f"change {the} to {what}",
                f"swap {the} for {what}",
            )
        )
    else:
        what = item_fr(rng, new, colour=False, size=False)
        text = rng.choice(
            (f"remplace {the} par {what}", f"change {the} en {what}", f"transforme {the} en {what}")
        )
    return Edit("replace", scene, _with_item(scene, index, new), text, language, item.thing)


MAKERS: dict[str, Callable[[Random, Scene, words.Language], Edit | None]] = {
    "recolour": _recolour, "add": _add, "remove": _remove, "time": _time,
    "ground": _ground, "resize": _resize, "replace": _replace,
}  # fmt: skip


def _is_drawable(scene: Scene) -> bool:
    """Whether no items overlap and all are inside the picture."""
    width, height = scene.extent
    for place, item in enumerate(scene.items):
        half_w, half_h = item.reach
        if not (half_w <= item.x <= width - half_w and half_h <= item.y <= height - half_h):
            return False
        if any(overlap(item, other) for other in scene.items[:place]):
            return False
    return True


def random_edit(
    rng: Random,
    language: words.Language,
    size: tuple[int, int] = (128, 128),
    *,
    unseen: bool | None = None,
    kind: str = "",
) -> Edit:
    """A random edit. With `unseen` True both combinations are held out from training, with False
    neither is, with None either may be. `kind` "" stands for any.
    """
    while True:
        maker = MAKERS[kind or rng.choice(KINDS)]
        edit = maker(rng, random_scene(rng, size), language)
        if edit is None or not _is_drawable(edit.before) or not _is_drawable(edit.after):
            continue
        if unseen is None or {held_out(edit.before), held_out(edit.after)} == {unseen}:
            return edit


def instruction(rng: Random, edit: Edit) -> str:
    """The edit's instruction with typing noise."""
    polite = rng.choice(("please ",)) if edit.language == "en" and rng.random() < 0.05 else ""
    return roughened(rng, polite + edit.instruction)
