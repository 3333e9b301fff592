"""Short ordinary words, which tell a phrase from a word with a space in it. Pure."""

from __future__ import annotations

_ORDINARY = (
    # English
    "a ad age ago air all am an and any are arm art as ask at bad bag bar bat be bed bee big bit "
    "box boy bus but buy by can car cat cow cup cut day did do dog dry ear eat egg elf end eye far "
    "fat few fly for fox fun gas get go god got had has hat he hen her hey hi him his hit hot how "
    "i ice if ill in ink is it its ivy jar jet joy key kid lab law leg let lie lip lit log lot low "
    "man map may me men met mix mud my new no nor not now oak of off oh oil old on one or our out "
    "owl own pan pay pen pet pie pig pin pit pop pot put ran rat raw red rib rim row rug run sad "
    "sat sea see set she shy sit six sky so son sun tall tan tea ten the tie tin tip to toe ton "
    "too top toy try tub two up us van war was way we wet who why win with wood yes yet you zoo "
    # French
    "ai au aux bel bleu ce ces ci de des deux dix dos du eau elle en es est et eux fer feu fin "
    "fou il ils je jus la lac le les lui ma mais mer mes moi mon mur ne nez ni nos nu nue nuit on "
    "or ou par pas peu plus pont pour pres qui roi rue sa sans se ses si soi son sous sur ta tes "
    "toi ton tu un une va vers vin vol vos vu y "
    # Spanish, Italian, German
    "al con da das del dem den der di die dos ein el ella es ich im ist las lo los mit no por que "
    "sin su te un una und vom von zu "
    # Russian
    "а бы в во да до же за и из их к как кот ли мы на не но о об он она от по под с со там то ты "
    "у уж что я"
)
ORDINARY = frozenset(_ORDINARY.split())
"""Words of one to four letters, folded as the filter folds a text."""
ONE_LETTER = frozenset("aiаивкосуя")
"""Words of one letter that stand before and after others."""
CONTRACTIONS = frozenset({"ll", "re", "ve", "s", "t", "d", "m"})
"""What stands behind an apostrophe in English: "he'll" is no "hell"."""
