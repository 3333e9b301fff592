"""Spells out how people shorten and mistype words in chats, so that requests are recognized. Pure.

What is drawn is never changed: the spelled-out text is only matched against the patterns of
commands, instructions and small talk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SHORT: Mapping[str, str] = {
    # English.
    "u": "you", "ur": "your", "r": "are", "wat": "what", "wut": "what", "hw": "how", "cn": "can",
    "gimme": "give me", "lemme": "let me", "wanna": "want to", "gonna": "going to",
    "gotta": "got to", "cud": "could", "wud": "would", "shud": "should", "plss": "please",
    "plz": "please", "plzz": "please", "pleas": "please", "plaese": "please", "pleease": "please",
    "thx": "thanks", "thanx": "thanks", "tx": "thanks", "thankyou": "thank you",
    "abt": "about", "smth": "something", "sth": "something", "b4": "before", "cuz": "because",
    "coz": "because", "bc": "because", "tho": "though", "rn": "right now", "backgrnd": "background",
    "lil": "little", "lill": "little", "litle": "little", "bigr": "bigger", "biger": "bigger",
    "teh": "the", "hte": "the", "adn": "and", "taht": "that", "jsut": "just", "yuo": "you",
    "w/": "with", "w/o": "without", "wiht": "with", "witout": "without", "wihtout": "without",
    "waht": "what", "mroe": "more", "amke": "make", "maek": "make", "mkae": "make",
    "'em": "them", "em": "them",
    "pix": "pics", "piks": "pics", "pictrue": "picture", "pictrues": "pictures",
    "gm": "good morning",
    "alot": "a lot", "cant": "can't", "wont": "won't",
    # French.
    "c": "c'est", "cest": "c'est", "g": "j'ai", "jai": "j'ai", "ct": "c'etait", "cetait": "c'etait",
    "jaime": "j'aime", "jadore": "j'adore", "jaimerais": "j'aimerais", "jpeux": "je peux",
    "jpe": "je peux", "jveux": "je veux", "jvx": "je veux", "jve": "je veux",
    "jvoudrais": "je voudrais", "jsuis": "je suis", "chui": "je suis", "chuis": "je suis",
    "jen": "j'en", "jattends": "j'attends", "jattend": "j'attends", "pr": "pour", "ds": "dans",
    "sava": "ca va",
    "av": "avec", "avc": "avec", "ss": "sans", "tt": "tout", "bcp": "beaucoup", "qd": "quand",
    "kan": "quand", "pk": "pourquoi", "pq": "pourquoi", "pkoi": "pourquoi", "prk": "pourquoi",
    "koi": "quoi", "kwa": "quoi", "kel": "quel", "kelle": "quelle", "ki": "qui", "ke": "que",
    "cb": "combien", "cbn": "combien", "cmb": "combien", "conbien": "combien", "cmt": "comment",
    "coment": "comment", "ptet": "peut etre", "ptetre": "peut etre", "mtn": "maintenant",
    "mnt": "maintenant", "maintenan": "maintenant", "vrmt": "vraiment", "vrm": "vraiment",
    "tjs": "toujours", "tjrs": "toujours", "tjr": "toujours", "jms": "jamais", "dsl": "desole",
    "bjr": "bonjour", "bsr": "bonsoir", "slt": "salut", "cc": "coucou", "mrc": "merci",
    "merki": "merci", "stpl": "stp", "steup": "stp", "nan": "non", "nn": "non", "ui": "oui",
    "vi": "oui", "oue": "oui", "ouai": "ouais", "ya": "y a", "ptit": "petit", "ptite": "petite",
    "p'tit": "petit", "p'tite": "petite", "qqch": "quelque chose", "chai": "je sais",
    "eske": "est ce que", "esk": "est ce que", "estce": "est ce", "tas": "t'as",
    "dla": "de la", "jsp": "je sais pas", "remet": "remets", "rend": "rends", "fai": "fais",
    "annul": "annule", "arret": "arrete", "aret": "arrete", "arete": "arrete", "oublis": "oublie",
    "d1": "d'un", "historik": "historique", "historike": "historique",
    "reessai": "reessaie", "rajout": "rajoute", "pa": "pas", "tro": "trop", "ossi": "aussi",
}  # fmt: skip
_OFTEN_TYPED = (
    "make", "change", "remove", "delete", "replace", "cancel", "undo", "credits", "queue",
    "history", "settings", "picture", "background", "again", "brighter", "darker", "bigger",
    "smaller", "without", "another", "please", "enleve", "ajoute", "remplace", "supprime",
    "change", "annule", "combien", "image", "images", "credit", "historique", "maintenant",
    "encore", "refais",
)  # fmt: skip
_SWAPPED: Mapping[str, str] = {
    typo: word
    for word in _OFTEN_TYPED
    if len(word) >= 5
    for at in range(1, len(word) - 1)
    if (typo := f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}") != word
}
"""Often-typed words with two letters exchanged after the first: "chnage", "remvoe"."""
_LACKING: Mapping[str, str] = {
    f"{word[:at]}{word[at + 1 :]}": word
    for word in _OFTEN_TYPED
    if len(word) >= 7
    for at in range(1, len(word) - 1)
}
"""Long often-typed words with a letter missing: "backgroud"."""
_MEANT = {**_LACKING, **_SWAPPED, **_SHORT}
_WORD = re.compile(r"[\w'/]+")
_PEU = re.compile(r"\b(?:tu (?:pe|peu|peut|px)|peu tu|pe tu)\b")


def spelled_out(folded: str) -> str:
    """A text in lower case without accents, with the short spellings of chats written in full."""
    full = _WORD.sub(lambda word: _MEANT.get(word[0], word[0]), folded)
    return _PEU.sub(lambda verb: "peux tu" if verb[0].endswith("tu") else "tu peux", full)
