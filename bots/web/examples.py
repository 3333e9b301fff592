"""Example prompts for an empty channel, within the bundled model's vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXAMPLES: Mapping[str, Sequence[str]] = {
    "en": (
        "a small red house left of a green tree, at night, snow",
        "a white lighthouse on the right, sunset over the sea",
        "two yellow balloons above a purple mountain --ar 3:2",
        "a big orange cat in the middle of a meadow",
    ),
    "fr": (
        "une petite maison rouge à gauche d’un arbre vert, la nuit, sous la neige",
        "un phare blanc à droite, coucher de soleil sur la mer",
        "deux ballons jaunes au-dessus d’une montagne violette --ar 3:2",
        "un gros chat orange au milieu d’un pré",
    ),
}
