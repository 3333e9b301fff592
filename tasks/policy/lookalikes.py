"""Characters that pass for letters: confusables of Unicode TS 39, and digits and signs. Pure.

Keys are single folded characters (NFKC, lower case, without accents).
"""

from __future__ import annotations

from collections.abc import Mapping

_PAIRS = (
    # Cyrillic for Latin.
    "аa еe оo рp сc уy хx іi јj ѕs һh ԁd ԛq ԝw кk мm тt вb нh пn иu иn цu гr ьb бb яr шw щw зe "
    # Latin for Cyrillic.
    "aа eе oо pр cс yу xх iі iи kк mм tт bв bь bб hн nп nи uц uи rг rя wш wщ sѕ jј "
    # Greek for Latin, and Latin for Greek.
    "αa εe ιi κk νv νn οo ρp τt υu υy χx ηn ηh μu μm ωw γy βb σo σs ςs δd λl "
    # Other scripts.
    "ոn սu օo հh ցg աw "
    # Digits and signs.
    "0o 0о 1i 1l 1и 2z 3e 3з 3э 4a 4а 4ч 5s 6b 6g 6б 7t 8b 8в 9g "
    "@a @а $s €e £l ¢c !i !l |i |l ¥y ฿b"
)
_SMALL = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
_STROKED = dict(zip("łđıħŧƒɡɑøƀɨʉɇǥ", "ldihtfgaobiueg", strict=True))
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def _boxed(first: int) -> dict[str, str]:
    """An alphabet of symbols without a compatibility form, such as regional indicators."""
    return {chr(first + index): letter for index, letter in enumerate(_ALPHABET)}


def _readings() -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in _PAIRS.split():
        found[pair[0]] = found.get(pair[0], "") + pair[1]
    return found


READINGS: Mapping[str, str] = _readings()
"""The letters that a character can be read as, beside itself."""

ONE_LETTER: Mapping[str, str] = {
    **_SMALL,
    **_STROKED,
    **_boxed(0x1F1E6),
    **_boxed(0x1F150),
    **_boxed(0x1F170),
}
"""Characters that are one Latin letter in another shape."""

SPELLED_OUT: Mapping[str, str] = {"æ": "ae", "œ": "oe", "þ": "th", "ß": "ss"}
"""Characters that are written as two letters."""
