"""Characters that pass for letters: confusables of Unicode TS 39, and digits and signs. Pure.

Keys are single folded characters (NFKC, lower case, without accents).
"""

from __future__ import annotations

import re
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
    "@a @а $s $с €e £l ¢c !i !l |i |l ¥y ฿b ©c ®r ℗p "
    # Letters of other sounds that look alike.
    "θo φo ɸo ϕo ґr ґг πn πп ѳo ꝓp nн ɔc ʌa əe "
    # Kanji and small kana for kana.
    "口ろ 工え 力か 二に 夕た 卜と 八は 千ち 才お 三み ゑえ ゐい "
    "ぁあ ぃい ぅう ぇえ ぉお っつ ゃや ゅゆ ょよ ゎわ "
    "あぁ いぃ うぅ えぇ おぉ つっ やゃ ゆゅ よょ わゎ "
)
_CONFUSABLES = (
    "aᎪᗅꓮ𐊠𖽀 bƅᏏᏴᑲᖯᗷꓐꞵ𐊂𐊡𐌁 cσᏟⲥꓚ𐊢𐌂𐐽𐔜𑣩𑣲 dᎠᏧᑯᗞᗪꓒꓓ eҽᎬⴹꓰꬲ𐊆𑣆𑣎 fϝքᖴẝꓝꞙꬵ𐊇𐊥𐔥𑣂 gƍԍᏀᏳᶃꓖ "
    "hᎻᏂᕼⲏꓧ𐋏 iɩӏᎥꙇ𑣃 jʝϳᎫᒍꓙ kᏦᛕⲕꓗ𐔘 lǀɩιіӏ۱Ꮮᒪᛁⲓⳑⵏꓡꓲ𐊊𐌉𐌠𐑃𐔦𑣃𑣒𖼖𖼨 mϻᎷᗰᛖⲙꓟ𐊰𐌑 nռⲛꓠ𐔓 "
    "o۵०০੦૦ଠ୦௦౦೦ഠ൦๐໐ဝ၀ჿዐᴑⲟⵔꓳꬽ𐊒𐊫𐐬𐓪𐔖𑓐𑣈𑣕𑣗𑣠 pᏢᑭⲣꓑ𐊕 qգզⵕ rᎡᎱᏒᖇᴦⲅꓣꭇꭈ𐓜𖼵 sƽտᏕᏚꓢ𐊖𐑈𑣁𖼺 "
    "tᎢⲧꓔ𐊗𐊱𐌕𑣜𖼊 uʋሀᑌꓴꞟꭎꭒ𐓶𑣘𖽂 vѵ۷Ꮩᐯⴸꓦꛟ𐔝𑜆𑣀𖼈 wɯѡᎳᏔꓪ𑜊𑜎𑜏𑣦𑣯 xᕁᕽᚷⲭⵝꓫꭓ𐊐𐊴𐌗𐌢𐔧𑣬 yɣүყᎩᎽᶌỿⲩꓬꭚ𐊲𑣄𑣜𖽃 "
    "zζᏃꓜ𐋵𑣄𑣉𑣥 "
)
"""For each Latin letter what else the confusables of Unicode TS 39 have for it."""
_CYRILLIC_TWINS = dict(zip("abcehkmoptxy", "авсенкмортху", strict=True))
_SMALL = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
_STROKED = dict(zip("łđıħŧƒɡɑøƀɨʉɇǥ", "ldihtfgaobiueg", strict=True))
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def _boxed(first: int) -> dict[str, str]:
    """An alphabet of symbols without a compatibility form, such as regional indicators."""
    return {chr(first + index): letter for index, letter in enumerate(_ALPHABET)}


_DRAWINGS = (
    r"\/\/w /\/\m |\/|m |\|n /\/n |-|h |_|u (_)u \_/u |)d |>p |*p |<k |{k |3b |2r |_l /\a \/v "
    r"()o []o {}o ><x )(x"
)
_DRAWN: Mapping[str, tuple[str, str]] = {
    drawing[:-1]: (chr(0xE000 + number), drawing[-1])
    for number, drawing in enumerate(_DRAWINGS.split())
}
"""Letters that are drawn with several signs: a private character for each, and its letter."""


def _readings() -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in _PAIRS.split():
        found[pair[0]] = found.get(pair[0], "") + pair[1]
    for letters in _CONFUSABLES.split():
        letter = letters[0]
        for other in letters[1:]:
            twin = _CYRILLIC_TWINS.get(letter, "")
            readings = found.get(other, "") + letter + twin
            found[other] = "".join(dict.fromkeys(readings))
    return found | dict(_DRAWN.values())


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

INVISIBLE = frozenset("\u115f\u1160")
"""Letters without any shape: the fillers of Hangul, after NFKC."""

_ANY_DRAWN = re.compile("|".join(map(re.escape, sorted(_DRAWN, key=len, reverse=True))))


def without_drawn_letters(text: str) -> str:
    """The text with one private character for each letter that is drawn with several signs."""
    return _ANY_DRAWN.sub(lambda match: _DRAWN[match[0]][0], text)
