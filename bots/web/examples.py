"""Example prompts for an empty channel, each with a picture that the bundled model made of it.

They are among the prompts of `imaging/postcard/starter_examples.json`, which come right with at
least 19 of 20 seeds. A test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "an orange cat left of a blue house in a meadow": "cat-and-house",
        "a black cat in a meadow": "black-cat",
        "a purple butterfly on a yellow background": "butterfly",
        "a purple mountain at sunset": "mountain",
    },
    "fr": {
        "un nuage blanc au-dessus d'une montagne violette": "cloud-and-mountain",
        "un arbre vert à gauche d'une maison bleue": "tree-and-house",
        "une pomme verte sur fond jaune": "apple",
        "une lune blanche en ville la nuit": "moon",
    },
}
"""For each locale, prompts with the names of their thumbnails in the page's folder `examples`."""


def examples(locale: str, model: str) -> Sequence[Mapping[str, str | None]]:
    """The prompts with the addresses of their thumbnails; None where another model would draw."""
    bundled = model == "postcard"
    return [
        {"prompt": prompt, "thumbnail": f"/page/examples/{name}.jpg" if bundled else None}
        for prompt, name in EXAMPLES[locale].items()
    ]
