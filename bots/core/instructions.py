"""Whether words read as a change to a picture ("make the house blue") or as a new one. Pure."""

from __future__ import annotations

import re
import unicodedata

from bots.core.chat_spelling import spelled_out
from bots.core.command_words import POLITE
from bots.core.picture_remarks import has_caption, is_remark
from bots.core.small_talk import after_small_talk
from bots.core.typed_text import clean_text, view_of


def _any(words: str) -> str:
    """A group of the comma-separated words and phrases."""
    return f"(?:{'|'.join(word.strip() for word in words.split(','))})"


_OPENER = _any(
    "sorry, oops, actually, hey, hi, hello, um, uh, uhh, uhm, so, wait, and now, en fait, du coup, "
    "salut, bonjour, attends, euh, desole, pardon, ah, oh, now, only, just, ok, okay, and, then, "
    "please, pls, also, but, no, yes, yeah, yep, yup, nah, nope, hmm, hm, cool, great, nice, "
    "perfect, good, right, alright, well, btw, almost, close, lol, haha, next, first, finally, "
    "not bad, looks good, looks great, love it, still, however, anyway, thanks, thank you, damn, "
    "good afternoon, good morning, good evening, good day, dear bot, dear atelier, cher atelier, "
    "wsh, wesh, frr, gros, mec, bro, "
    "wow, dude, bro, bot, wtf, shit, fuck, omg, ugh, damn it, dammit, merde, putain, bordel, "
    "mince, "
    "zut, nan, haha, ah ah, holy shit, oh shit, ok so, yo, "
    " atelier, maybe, perhaps, honestly, ideally, simply, quickly, "
    "one more thing, one last thing, last thing, one thing, only thing, small change, "
    "et, maintenant, puis, ensuite, apres, alors, mais, non, oui, ouais, super, bien, parfait, "
    "genial, top, nickel, voila, bon, bah, ben, hum, sinon, par contre, juste, aussi, enfin, "
    "mdr, merci, j'adore, j'aime bien, c'est bien, c'est super, pas mal, presque, trop bien, "
    "franchement, tiens, dis, peut etre, svp, stp, s'il te plait, s'il vous plait, "
    "une derniere chose, derniere chose, petit detail, finalement, plutot, d'accord, vite fait"
)
_HEDGE = _any(
    "can you, could you, would you, will you, can we, could we, can i get you to, i want you to, "
    "i'd like you to, i need you to, i would like you to, you should, you could, you can, "
    "let's, lets, what if you, what if we, how about you, how about we, i think, i feel like, "
    "i guess, i mean, i'd say, i was thinking, it'd be better if, it would be better if, "
    "would be nice if, it would be cool if, it'd be cool if, it'd be nice if, "
    "would it be possible to, is it possible to, would you mind, do you mind, "
    "do you think you could, any chance you can, any chance you could, any way to, try to, try "
    "and, "
    "go ahead and, i'd love it if, i wish, you need to, we need to, i forgot to say, "
    "peux tu, tu peux, pourrais tu, tu pourrais, pouvez vous, vous pouvez, pourriez vous, "
    "est ce que tu peux, est ce que tu pourrais, on peut, on pourrait, et si on, et si tu, "
    "et si vous, je pense que, je trouve que, je crois que, je dirais, a mon avis, "
    "il me semble que, on dirait que, est ce que, serait il possible de, c'est possible de, "
    "ca serait possible de, ce serait possible de, possible de, y a moyen de, moyen de, "
    "essaie de, essaye de, tu devrais, il faudrait que tu, faudrait que tu, il faut que tu, "
    "j'aimerais que tu, je voudrais que tu, je veux que tu, merci de, pense a, n'oublie pas de, "
    "ce serait mieux de, ce serait cool de, vaut mieux, tu veux bien, tu pourras, ca te derange de"
)
_LEAD_IN = (
    rf"(?:{_OPENER}[ ,!.:;…—]+|{_HEDGE}(?: (?:maybe|perhaps|just|also|please|pls|aussi|juste|stp|"
    r"svp|plutot|peut etre|pas))?,? |(?:je (?:pense|trouve|crois)|on dirait|il me semble) qu'|"
    r"(?:the|my) only thing is,? |"
    r"(?:i (?:really )?(?:love|like|hate)|j'(?:adore|aime)(?: bien| trop| pas)?) "
    r"[^.!?]{2,30}[.!?]+ )"
    r"{0,6}"
)
_THAT = _any(
    "it, this, that, him, her, them, the, teh, hte, its, his, everything, everyone, every, all, "
    "these, those, both, some of"
)
_COLOURS = _any(
    "black and white, colou?rs?, blue, red, green, yellow, black, white, pink, purple, orange, "
    "winter, summer, autumn, spring"
)
_COULEURS = _any(
    "noir et blanc, couleurs?, bleu, rouge, vert, jaune, noir, blanc, rose, violet, orange, "
    "hiver, ete, automne"
)
_MORE = _any(
    "more, moar, less, fewer, bigger, smaller, darker, brighter, lighter, closer, wider, taller, "
    "shorter, thinner, thicker, larger, warmer, colder, softer, sharper, older, younger, happier, "
    "sadder"
)
_ATTRIBUTE = _any(
    "colou?rs?, light, lighting, background, font, text, style, mood, pose, angle, face, hair, "
    "eyes, hands, sky, shadows?, contrast, quality, details?, lines, edges"
)
_ATTRIBUT = _any(
    "couleurs?, lumiere, fond, police, texte, style, ambiance, pose, angle, visage, cheveux, yeux, "
    "mains, ciel, ombres?, contraste, qualite, details?, lignes, contours"
)
"""What every picture has, so that a better one of it is a change."""
_ENGLISH = (
    (
        r"(?!(?:i|we|you|they|is|was|let|beat|love|like|hate|got|get|did|does|do|can|could|would|"
        r"will|should|may|have|has|had|what|when|where|how|why|who|if|as|for|with|without|by|from|"
        r"to|and|or|but|about|after|before|over|under|behind|save|kiss|leave|keep|catch|near|not)"
        r" )[a-z]{3,} (?:it|him|her|them)(?: (?:up|down|left|right|back|over|out|in|off|around|"
        r"closer|away|a bit|a little|more|again|slightly)){0,2}$"
    ),
    rf"{_MORE} [a-z]+(?:,| and) {_MORE} [a-z]+$",
    (
        rf"(?:the [a-z]+ (?:a bit |much )?(?:{_MORE}|longer)|(?:{_MORE}|longer) {_ATTRIBUTE}) "
        r"(?:for|on) (?:the [a-z]+|him|her|them)(?:,? (?:pls|please|thanks|thx))?$"
    ),
    r"(?:and |et )?(?:with|without|avec|sans)(?: (?:an?|some|des|une?|du|de la))? [a-z]+$",
    r"the [a-z' ]{2,25} instead of (?:the|his|her|its) [a-z' ]{2,25}$",
    r"ad (?:an?|some|more) [a-z]+$",
    r"(?:cropped|zoomed|framed|shot|moved) (?:closer|tighter|wider|in|out|further|from [a-z ]+)$",
    (
        r"(?:change|transforme|passe|convertis|switch|convert)[rz]? (?:en|to|into) "
        r"(?:(?:an?|une?) )?[a-z]+$"
    ),
    (
        r"(?:the |la |le |les )?(?:same|memes?) [a-z]+, ?(?:different|other|new|another|une? autre|"
        r"autres?|nouveau|nouvelle) [a-z]+$"
    ),
    (
        r"as an? (?:[a-z]+ ){0,2}(?:drawing|painting|sketch|photo|photograph|cartoon|sculpture|"
        r"poster|sticker|comic|render|statue|engraving|mosaic|collage|illustration|linocut|"
        r"woodcut|etching|screenprint|lithograph|fresco|tapestry|mural|stencil|embroidery|"
        r"cyanotype|polaroid|daguerreotype|figurine|toy|logo|icon|emoji|stamp)$"
    ),
    r"(?:une? |en )?version (?!originale\b)[a-z]+$",
    r"(?:an? |the )?(?!cover\b|live\b|first\b|final\b)[a-z]+ version(?: of (?:it|this|that))?$",
    r"undo (?:the|his|her|that|its) [a-z]+$",
    (
        r"(?:(?:i want|i'd like|i would like|i need|use|try|make|do|fais|faites|je voudrais|"
        r"je veux|j'aimerais|il faut|il faudrait|faudrait) )?(?:an?|the|une?|le) (?:[a-z]+ ){0,2}"
        rf"(?:(?:{_COLOURS}|plain|solid|transparent|blurred|blurry|darker|lighter|grey|gray) "
        rf"(?:background|backdrop|bg)|fond (?:[a-z]+ )?(?:{_COULEURS}|uni|flou|transparent|gris))"
        r"(?: (?:uni|flou|please|stp|svp))?$"
    ),
    r"\+ ?(?:an?|some|more|une?|des|du|de la|plus|another|two|deux)\b",
    # Verbs that only change something, whatever follows ("remove before flight" names a tag).
    _any(
        "remove, delete, erase, add, replace, simplify, recolou?r, sharpen, brighten, darken, "
        "lighten, "
        "desaturate, saturate, recenter, enlarge, widen, straighten, get rid of, take out, "
        "take away, zoom (?:in|out)"
    )
    + r"\b(?! (?:before|after|until|when|to (?:cart|basket)) )",
    # Verbs that change what is named, are nouns too, or make something new of "a".
    _any(
        "make, turn, put, give, transform, "
        "convert, reduce, increase, tone down, soften, smooth, lower, raise, tilt, centre, center, "
        "shift, shorten, lengthen, fatten, hide, retouch, correct, redo, clean up, swap, swap out, "
        "switch, switch out, trade, lose, drop, ditch, scrap, do, try, change, crop, rotate, flip, "
        "mirror, blur, resize, shrink, extend"
    )
    + rf" {_THAT}\b",
    # One paints the last supper, and one paints what is there in a colour.
    r"(?:paint|colou?r) (?:it|this|that|him|her|them|everything|everyone)\b",
    rf"(?:paint|colou?r) {_THAT} [a-z' ]{{2,40}}\b(?:{_COLOURS}|brown|gr[ae]y|gold|silver|like)\b",
    r"(?:set|let|have|move) (?!it\b|that\b)" + rf"{_THAT}\b",
    (
        r"move it (?:to|up|down|left|right|closer|away|a bit|further|back|over|more)\b|"
        r"(?:set|let|have) it (?:to|in|at|on|look|face|wear|hold)\b"
    ),
    rf"(?:keep|leave) (?!him\b|her\b(?! [a-z])|them\b){_THAT}\b",
    (
        rf"fix (?:(?:it|this|that|them)(?=$|[,.!]| so| up| please| by)|(?!it\b|this\b|that\b|"
        rf"them\b){_THAT}\b)"
    ),
    rf"take {_THAT}\b.*\b(?:off|out|away|down)$|take off {_THAT}\b|turn (?:it )?into [a-z]",
    _any(
        "bring, push, pull, cut, trim, fill, cover, dim, fade, outline, highlight, stretch, "
        "squash, age, slim, wash, align, level, balance, thicken, thin, narrow, deepen, tame, "
        "strengthen, weaken, flatten, curve, mute, warm, warm up, cool down, tint, dye, shade, "
        "refine, restyle, redraw, repaint, reposition, rearrange, rescale, rework, adjust, tweak, "
        "improve, enhance, modify, edit, touch up, tidy, tidy up, liven up, declutter, repair, "
        "spread out, space out, "
        "clean, break, bend, connect, separate, duplicate, multiply, copy, merge, combine, dress, "
        "undress"
    )
    + rf" {_THAT}\b",
    r"(?:everything|all)(?: else)? (?:the )?same\b",
    r"(?:a|another|one) version (?:with|without|in|at|as|where|but|of (?:it|this|that))\b",
    r"(?:une |en |la )?version (?:avec|sans|en|de nuit|ou|mais)\b",
    r"i (?:meant|said|asked for|wanted) (?:an?|the) [a-z' ]{2,25},? not (?:an?|the) [a-z]+",
    r"(?:and|also|plus|with|and with) (?:an?|some|more|less|no|another) [a-z' ]{2,50}$",
    r"(?:no,? )?not (?:an?|the) [a-z]+, (?:an?|the) [a-z]+$",
    rf"(?:much |a lot |slightly )?(?:better|[a-z]{{2,}}er) {_ATTRIBUTE}$",
    (
        r"(?:place|stick|hang|sit|attach|glue|pin) (?:an?|some|two|the|another) [a-z' ]{2,30} "
        r"(?:on|in|over|under|behind|next to|beside|onto) (?:the|his|her|its)\b"
    ),
    r"not (?:so|that|as) [a-z]+(?: [a-z]+){0,2}$",
    r"(?:it|he|she|this|that) looks (?:more )?like [^,]*$",
    r"(?!(?:an?|the|two|three|some)\b)[a-z' ]{2,40} instead of [a-z' ]{2,40}$",
    (
        r"put [a-z' ]+ (?:on|in|over|under|behind|next to|around|beside|onto) (?:the|his|her|its|"
        r"it|"
        r"him|them)\b"
    ),
    r"(?:too|trop) [a-z]+$",
    r"(?:the )?same [a-z]+ (?:but|different|other|new|another)\b",
    r"(?:ca|il|elle|ce) (?:peut|pourrait) (?:etre|avoir)\b",
    (
        r"(?:il|elle|ils|elles) (?:peut|pourrait|peuvent|pourraient) (?!(?:dessiner|faire|ecrire|"
        r"lire|gerer|generer|creer|modifier|utiliser|comprendre|m')\b)[a-z]+(?:er|ir|re|oir)\b[^,]{0,30}$"
    ),
    (
        r"put (?:a|an|some|more|two|three|in|the)\b.*\b(?:in front|behind|around|on top|"
        r"in the (?:back|"
        r"front|"
        r"background|foreground|corner|middle)|there|next to (?:it|him|her|them))$"
    ),
    r"put (?:a|an|some|more|two|three) .*\b"
    + _any("on, in, over, under, behind, next to, beside, around")
    + r" (?:it|him|her|them|the|his|its)\b",
    (
        rf"(?:a (?:bit|little|lot|tad|touch|notch|hair|tiny bit|smidge) |slightly |much |way |"
        rf"even )?{_MORE}\b(?! than\b|"
        rf" is\b)(?: [a-z']+){{0,3}}$"
    ),
    rf"(?:make|turn|paint|colou?r) [a-z]+ (?:{_MORE}|{_COLOURS})$",
    (
        r"change (?:the )?(?:colou?rs?|background|bg|style|pose|angle|view|lighting|light|outfit|"
        r"hair|"
        r"face)\b"
    ),
    (
        r"(?:an?other|different|other|new) (?:pose|angle|view|background|bg|style|colou?rs?|outfit|"
        r"expression|face|hair|hat)$"
    ),
    r"(?:redo|retry|again|try again|try|do it again)(?: it)? (?:but|with|without|in|as|on)\b",
    r"i (?:need|want|would like|'d like) (?:him|her|it|them|the [a-z]+) to\b",
    r"from (?:above|behind|below|the side|the front|closer|further|farther|further away)$",
    r"(?:half|double|twice|triple) (?:the |as )[a-z' ]{2,30}$",
    (
        r"(?:the )?(?:exact )?same [a-z]+ (?:in|with|on|at|as|wearing|holding|without) "
        r"(?!(?:every|each|all|different|two|three|four|both)\b)[^,]*$"
    ),
    r"(?:the )?(?:exact )?same [a-z' ]{1,40} but\b",
    (
        r"(?:it|he|she|they|this|that) (?:should|must|shouldn't|needs? to|has to|have to) (?:not |"
        r"also )?(?:be|have|"
        r"look|wear|hold|face)\b"
    ),
    r"(?:the )?(?:exact )?same,? (?:but|with|without|picture|image|thing|one|in|at)\b",
    r"but (?:with|without|in|at|make)\b",
    r"(?:[a-z']+ ){1,4}(?:a bit|a little(?: bit)?|slightly|a lot|much|way) " + rf"{_MORE}$",
    r"without (?:the|his|her|its|any)\b[^,]{0,40}$",
    rf"in {_COLOURS}$",
    r"(?:in|dans|with) (?:the|a|le|un) style (?:of |de |d'|du )[^,]{2,40}$",
    (
        r"(?:in|as|en|style|facon|in the style of|en style|en facon)(?: an?| the| une?| le)? "
        r"(?:watercolou?r|oil painting|pixel art|anime|manga|cartoon|sketch|pencil sketch|drawing|"
        r"photo|photograph|painting|comic|comic book|claymation|lego|3d render|3d|pop art|sticker|"
        r"stained glass|woodcut|engraving|impressionis[tm]|cubis[tm]|ghibli|minecraft|low poly|"
        r"vector|line art|charcoal|ink|pastels?|vaporwave|synthwave|aquarelle|peinture(?: a "
        r"l'huile)?|dessin(?: anime)?|crayon|bd|fusain|encre|gravure|vitrail|gouache|pate a "
        r"modeler|linocut|linogravure|etching|eau forte|screenprint|serigraphie|lithographie|"
        r"lithograph|estampe|pochoir|stencil|mosaic|mosaique|collage|origami|embroidery|broderie|"
        r"tricot|feutre|craie|sanguine|acrylics?|acrylique|tempera|lavis|fresque|fresco|graffiti|"
        r"papier decoupe|papercut|argile|clay|bronze|marble|marbre|polaroid|cyanotype|"
        r"argentique|sepia|art deco|art nouveau|bauhaus|baroque|surrealis[tm]e?|minimaliste?|"
        r"flat design|isometric|isometrique|voxels?|8 ?bit|bande dessinee|noir)"
        r"(?: (?:style|painting|drawing|version|please|stp))?$"
    ),
    r"at (?:night|sunset|sunrise|dawn|dusk)$",
    # What is wrong with the picture that is there.
    (
        r"(?:the|his|her|its|their|my) [a-z' ]{2,40}\b(?:shouldn't|"
        r"(?:should|must|needs? to|has to|have to) (?:not|be|have|look|face|stay|wear|hold|smile|"
        r"point|"
        r"fit|stand|sit|touch|match|go|come|get|show|turn|fill)|looks? (?:too|weird|wrong|off|bad|"
        r"odd|"
        r"strange|like it))\b"
    ),
    (
        r"(?:the|his|her|its|their) [a-z' ]{2,30} (?:is|are|was|were) (?:too|wrong|weird|missing|"
        r"off|"
        r"not|"
        r"still|way too|kinda|a bit)\b[a-z' ]{0,25}$"
    ),
    (
        r"(?:it|it's|its|that's|that is|it is|they're|this is|looks|it looks) (?:a bit |way |"
        r"kinda |"
        r"still |"
        r"just )?(?:too(?! late| cool| cute| good| much)(?: [a-z']+){1,2}$|not (?:[a-z']+ enough|"
        r"right|"
        r"what i|the right|quite)\b)"
    ),
    (
        r"(?:way |much |a bit |still )?too (?:dark|bright|small|big|many|much|blurry|close|far|"
        r"light|"
        r"yellow|red|blue|green|dull|busy)(?: [a-z']+){0,2}$"
    ),
    (
        r"i (?:don't|dont|do not|didn't|didnt) (?:like|want|need) (?:the|this|that|it|his|her|any|"
        r"those|"
        r"these)\b"
    ),
    (
        r"i(?:'d| would)? (?:prefer|rather|want|(?<=d )like|wanted|need) (?:it|him|her|them|"
        r"the [a-z]+ (?:to be|in|"
        r"on|more|less|bigger|smaller|darker|brighter|blue|red|green|yellow|black|white|pink|"
        r"orange|"
        r"purple))\b"
    ),
    r"(?:wrong|incorrect|nope)[.,!:] ",
    r"(?:change|swap|switch|turn|convert|transform) [a-z' ]{2,30} (?:to|into|for|with) [a-z]",
    (
        r"(?:can|could|should|would) (?!it (?:draw|make|do|edit|write|generate|create|handle|read|"
        r"animate|upscale|use|take|understand)\b)(?:the|his|her|its|their|it|he|she|they) [a-z' ]+"
    ),
    (
        r"(?:(?:it|he|she|this|that|they) )?(?:still )?(?:needs?|could use) (?:more|less|some|"
        r"a bit|"
        r"bigger|smaller)\b"
    ),
    r"you (?:forgot|missed|left out|didn't|didnt|drew|made|gave|put)\b",
    r"(?:what|how) about (?:in|with|without|at|making|adding|more|less|an? [a-z]+ one)\b",
    r"(?:can|could|may) (?:i|we) (?:have|get|see|try) (?:it|that|this|him|her|them|the same)\b",
    r"there(?:'s|s| is| are) (?:too|still|way too|not enough)\b",
    (
        r"(?:no|no more|less|pas de|plus de|moins de) [a-z' ]{2,30}? (?:pls|please|plz|svp|stp|"
        r"thanks|"
        r"merci)$"
    ),
    r"(?:remove|rm|no|blur|change|new|different|other) (?:the )?(?:bg|background|backdrop)$",
)
_POLITELY = (
    r"(?:(?:est ce que )?(?:tu peux|vous pouvez|tu pourrais|vous pourriez)|peux tu|pouvez vous|"
    r"pourrais tu|"
    r"pourriez vous|on peut|on pourrait|il faut|il faudrait|faut|j'aimerais|je voudrais|je veux|"
    r"merci de) "
)
_THIS_TIME = (
    r"(?:(?:ok|et|and|but|mais),? )?(?:now|this time|maintenant|cette fois)[ ,:]+(?:with|without|"
    r"in|at|on|as|but|"
    r"sans|avec|en|dans|sur|mais|plus|moins|la nuit|de nuit)\b"
)
_CE = _any("le, la, les, ca, tout, tous, toute, son, sa, ses, cette, ce, ces, cet, lui, leur")
_FRENCH = (
    (
        r"(?:(?:le|la|les) |l')[a-z' ]{2,25} (?:au lieu|a la place) (?:de (?:la |le |les |l')|du |"
        r"des )[a-z' ]{2,25}$"
    ),
    r"[a-z]{4,}(?:e|s|ez) (?:la|le|les)$",
    (
        r"(?!une? |des )[a-z']+ (?:plus|moins) [a-z]+(?:,| et) (?!une? |des )[a-z']+ "
        r"(?:plus|moins) [a-z]+$"
    ),
    _any(
        "enlev, retir, vir, supprim, effac, ajout, rajout, remplac, modifi, transform, deplac, "
        "simplifi, flout, zoom, dezoom, desatur, satur, recentr, accentu, recadr, tourn, retourn, "
        "corrig, "
        "eclairc, assombr, agrand, elarg"
    )
    + r"(?:e|es|ez|er|is|issez|ir|ait|ais|ons|ions|iez)\b",
    (
        rf"(?:mets|met|mettez|mettait|mettais) (?:{_CE}|une?|des|du|de la|de l'|plus|moins|moi|en|"
        rf"y|"
        rf"nous|"
        r"quelques|deux|trois|encore|d'autres)\b"
    ),
    r"(?:rends|rend|rendez(?! vous)|rendait)\b",
    _any("fais, faites, garde, gardez, laisse, laissez, change, changez, colorie, coloriez")
    + rf" (?:{_CE}\b|l')",
    rf"(?:peins|peignez) (?:(?:la|le|les|ca|tout)$|(?:{_CE} |l')[a-z' ]{{2,40}}\b(?:en|comme)\b)",
    r"(?:l'|(?:le|la|les|lui|leur) )"
    + _any("faire, rendre, mettre, changer, enlever, retirer, supprimer, ajouter, agrandir")
    + r"\b",
    r"(?:fais|faites) [a-z]{2,}(?:er|ir|re)\b(?: [a-z']+){0,4}$",
    _any(
        "grossis, grossissez, rapetisse, retrecis, elargis, noircis, blanchis, adoucis, epaissis, "
        "allonge, raccourcis, reduis, reduisez, augmente, diminue, baisse, monte, avance, recule, "
        "penche, incline, centre, decale, rapproche, eloigne, habille, deshabille, coiffe, rase, "
        "refais, redessine, repeins, inverse, cache, adapte, ameliore, nettoie, lisse, affine"
    )
    + rf"[rz]? (?:{_CE}\b|l')",
    r"(?:[a-z']+ ){1,5}(?:un peu|beaucoup|encore|bien|legerement) (?:plus|moins) [a-z']+$",
    r"(?:fais|faites) (?:en sorte|que|plus|moins)\b",
    r"donnez? (?:lui|leur)\b",
    (
        r"(?:fais|faites) en (?:une?|des) (?!autres?\b|de plus\b|version|image|dessin|dernier|"
        r"nouvel)[a-z]"
    ),
    r"une? [a-z]+ a la place (?:de (?:la |l')|du |des )[a-z]+$",
    (
        r"(?:un peu |beaucoup |encore |un poil |un chouia |un tantinet |un brin |legerement |"
        r"vachement |"
        r"carrement |nettement |un tout petit peu |encore un peu )?(?:plus|moins) (?:de |"
        r"d')?[a-z']+(?: (?!que\b)[a-z']+){0,3}$"
    ),
    (
        r"(?:(?:exactement )?(?:pareil|pareille|idem|meme chose|meme image)|(?:la|le|"
        r"les) memes?(?: chose| image|"
        r" dessin)?)(?:$|,| (?:mais|avec|sans|en|sur|que|dans|au|aux|a la|la nuit|de nuit|plus|"
        r"moins)\b)"
    ),
    r"(?:(?:la|le|les) )?memes? [a-z' ]{1,40} mais\b",
    _any(
        "coupe, couvre, remplis, allume, eteins, ouvre, ferme, plie, etire, vieillis, rajeunis, "
        "maquille, double, "
        "duplique, copie, fusionne, aligne, souligne, casse, lave, remonte, descends, rallonge, "
        "serre, redresse, desserre, equilibre, approfondis, calme, renforce, affaiblis, arrondis, "
        "aplatis, teins, teinte, ombre, polis, repositionne, rearrange, retravaille, ajuste, "
        "retouche, rapproche, ecarte, isole, detache, attenue, estompe, rechauffe, refroidis, "
        "egaye, epure, allege, peigne, decoiffe, amincis, muscle, harmonise, uniformise, aere, "
        "dessature, replace, repare, ravive, ternis"
    )
    + rf"[rz]? (?:{_CE}\b|l')",
    rf"{_POLITELY}(?:le|la|les|lui|leur|l'|y|en) ?[a-z]{{3,}}",
    (
        r"(?:(?:il )?(?:faut|faudrait)|j'aimerais(?: bien)?|je voudrais|je veux|"
        r"tu peux faire) qu(?:e |')(?:il|elle|ils|elles|on|le|la|les|l'|tu|son|sa|ses)\b"
    ),
    (
        r"(?:recommence|refais|relance|reessaie|reessaye|essaie|essaye|teste)[rz]? (?:mais|"
        r"avec|sans|plus|moins|en|dans|sur|sous|au|aux|a la|a l'|de nuit|de jour|de face|de dos|"
        r"de profil)\b"
    ),
    r"tout (?:le reste )?(?:pareil|identique)\b",
    (
        r"(?:un |une |des |la |les |l')?(?:eclairage|lumiere|ambiance|contraste|cadrage|couleurs?|"
        r"fond|ciel|teintes?|decor|expression|pose|ombres?) (?:un peu |beaucoup |bien )?"
        r"(?:plus|moins) [a-z']+(?: stp| svp)?$"
    ),
    (
        r"(?:(?:le|la|les|des|ses) |l')[a-z']+ (?:bien |un peu )?(?:plus|moins) [a-z]+ "
        r"(?:pour|a|au|aux|sur) (?:le |la |les |l')?[a-z]+(?:,? (?:merci|stp|svp))?$"
    ),
    r"(?:et|aussi|avec|et avec|et aussi) (?:une?|des|plus de|moins de) [a-z' ]{2,50}$",
    r"pas (?:si|aussi|tant) [a-z]+(?: [a-z]+){0,2}$",
    r"(?:non,? )?pas (?:une?|le|la) [a-z]+, (?:une?|le|la) [a-z]+$",
    rf"(?:(?:de|des|une?) )?(?:bien )?(?:plus|moins) [a-z]+ {_ATTRIBUT}$",
    (
        r"(?:pose|place|installe|colle|plante|accroche|suspends|epingle)[rz]? (?:(?:une?|le|la|les|"
        r"deux) |l')[a-z' ]{2,30} (?:sur|dans|devant|derriere|sous|contre|a cote (?:du|de)) "
        r"(?:(?:le|la|les|son|sa|ses) |l')"
    ),
    r"(?!(?:une?|les?|la|des)\b)[a-z' ]{2,40} (?:au lieu|a la place) (?:de |d'|du )[a-z' ]{2,40}$",
    r"(?:la|le|les) memes? [a-z]+ (?:en|avec|sans|sur|dans|au|a la) [^,]*$",
    r"change[rz]? (?:de )?(?:couleurs?|fond|style|pose|angle|vue|tenue|coiffure)\b",
    (
        r"(?:un |une )?(?:autre|nouvel|nouvelle|nouveau) (?:pose|angle|vue|fond|style|couleur|"
        r"tenue|"
        r"expression|visage|coiffure|"
        r"chapeau)$"
    ),
    r"(?:vue? )?(?:d'en haut|d'en bas|de plus (?:pres|loin)|de (?:profil|face|dos))$",
    r"(?:deux|trois) fois (?:plus|moins) [a-z']+$",
    r"sans (?:(?:le|la|les|son|sa|ses)\b|l')[^,]{0,40}$",
    rf"en {_COULEURS}$",
    r"(?:de nuit|la nuit|au coucher du soleil|au lever du soleil)$",
    # Ce qui ne va pas dans l'image.
    (
        r"(?:(?:le|la|les|son|sa|ses|leurs?) |l')[a-z' ]{2,40}\b(?:devrait|devraient|(?:doit|"
        r"doivent|devait) (?:pas|etre|avoir|regarder|rester|porter|tenir|sourire|montrer|aller|"
        r"se))\b"
    ),
    (
        r"(?:(?:le|la|les|son|sa|ses) |l')[a-z' ]{2,30} (?:est|sont|n'est|etait) (?:trop|pas|mal|"
        r"toujours|"
        r"encore|un peu trop)\b[a-z' ]{0,25}$"
    ),
    (
        r"(?:c'est|c'etait|il est|elle est|ils sont|elles sont|ca fait) (?:un peu |beaucoup |"
        r"encore |"
        r"toujours |vraiment )?(?:trop|pas assez)(?! tard| cool| mignon| bien| bon| beau| chou| "
        r"fort| classe| style| top|"
        r" drole)(?: [a-z']+){1,2}$"
    ),
    (
        r"(?:un peu |beaucoup |bien |toujours )?trop (?:sombre|clair|petit|petite|grand|grande|"
        r"de |d'|"
        r"flou|"
        r"floue|pres|loin|jaune|rouge|bleu|bleue|vert|verte|charge|chargee)(?: ?[a-z']+){0,2}$"
    ),
    (
        r"(?:je n'|j')(?:aime|veux|voulais) (?:pas|plus) (?:(?:le|la|les|ce|cette|ces|son|sa|ses|"
        r"du|"
        r"de) |l')"
        r"[a-z']+(?: [a-z']+){0,2}$"
    ),
    (
        r"je (?:ne )?veux (?:pas|plus) (?:(?:le|la|les|ce|cette|ces|son|sa|ses|de) |d'|l')"
        r"[a-z']+(?: [a-z']+){0,2}$"
    ),
    r"(?:(?:le|la|les|son|sa|ses) |l')[a-z' ]{2,30} (?:pourrait|pourraient|peut il|peut elle)\b",
    r"(?:(?:il|elle|ca) )?(?:il )?manque (?:de |d'|un|une|le|la|les|des|encore|du)\b",
    (
        r"(?:on|je|tu|vous) (?:peut|peux|pouvez|pourrait|pourrais) (?:l'|la |le |les )(?:avoir|"
        r"voir|"
        r"essayer)\b|"
        r"(?:on|je) (?:peut|peux|pourrait|pourrais) (?:avoir|voir|essayer) (?:(?:le|la|les|son|sa|"
        r"ses) |l')(?!(?:file|queue|liste|suite|aide|historique|solde|quota|prix|reglages|"
        r"commandes|options|images?|photos?|dernieres?|regles|galerie)\b)[a-z' ]{2,40}$"
    ),
    (
        r"(?!(?:une?|des|les?|la)\b)[a-z']+ (?:plus|moins) (?:clair|sombre|grand|petit|large|haut|"
        r"bas|"
        r"long|court|net|flou|"
        r"vif|fonce|rouge|bleu|vert|jaune|noir|blanc|rond|fin|epais|gros|grosse|colore|uni|"
        r"simple)(?:e|"
        r"es|s)?$"
    ),
    r"(?:tu as|t'as|vous avez) (?:oublie|mis|dessine|fait|rate)\b",
    r"(?:il )?y a (?:trop|pas assez|pas de|encore trop|toujours)\b",
    r"et (?:avec|sans|en|si on|si tu) [a-z' ]{2,40}$",
    r"je (?:le|la|les) (?:veux|voudrais|prefererais|prefere|voulais) [a-z]",
    (
        r"je (?:prefere|prefererais|voudrais|voulais|veux) (?:que )?(?:(?:le|la|les|son|sa|ses) |"
        r"l')[a-z' ]+ "
        r"(?:soit|soient|plus|moins|en|sans)\b"
    ),
)
_INFINITIVE = (
    rf"{_POLITELY}"
    rf"(?:(?:faire|rendre|changer|peindre|colorier|garder|laisser) (?:{_CE}\b|l')|"
    rf"faire [a-z]{{2,}}(?:er|ir|re) (?:{_CE}\b|l')|mettre (?:{_CE}|"
    rf"une?|des|du|"
    r"de la|plus|moins|quelques|d'autres)\b)"
)
_AFTER_LEAD_IN = re.compile(_LEAD_IN)
_INSTRUCTION = re.compile(
    f"{_LEAD_IN}(?:{'|'.join((_THIS_TIME, _INFINITIVE, *_ENGLISH, *_FRENCH))})"
)
_YOURS = re.compile(
    rf"{_LEAD_IN}[a-z]+(?: (?:up|off|out|down|on))? "
    r"(?:your|yourself|ton|ta|tes|votre|vos|toi)\b(?! (?:style|palette)\b)"
)
"""An order to a reader, such as "raise your glass": what is in a picture is never the bot's own."""
_COMPOUND = re.compile(
    r"(?P<verb>[a-z]{3,})-(?=[a-z])(?!(?:le|la|les|lui|leur|moi|toi|nous|vous|y|en|ca)"
    r"\b)(?<!zoom-)"
)
"""The first word of "an add-on", written with its hyphen: no verb."""
_POLITE_END = re.compile(rf"(?:[\s,]+{POLITE})+\W*$|(?<=[a-z])[^a-z0-9'\")\]]+$")
_ASKED = re.compile(_INFINITIVE)
_PICTURE_OF = re.compile(
    rf"{_LEAD_IN}(?:(?:get|have|see|make|draw|do|create|paint|avoir|faire|dessiner|creer|voir)"
    r"(?: (?:me|us|moi|nous))? )(?:an?|one|une?) (?:[a-z]+ )?(?:picture|image|pic|photo|drawing|"
    r"painting|illustration|sketch|dessin|peinture|tableau|croquis) (?:of|de|d'|with|avec)\b"
)
"""A request for a picture, however politely it begins: "could I get a picture of a lemon tree"."""
_REPLACING = re.compile(r"\b(?:instead|a la place|plutot|rather)(?: of (?:the|it)\b.*)?$")
_CORRECTING = re.compile(
    r"(?:[,.;!] ?|\b(?:lol|lmao|haha|mdr|ptdr|pls|please|stp) )(?:please |pls |can you |could "
    r"you |tu peux )?(?:simplif(?:y|ie[rz]?)|fix|change|"
    r"remove|redo|correct|"
    r"replace|"
    r"corrige[rz]?|change[rz]?|enleve[rz]?|retire[rz]?|refais|vire[rz]?|supprime[rz]?|"
    r"(?:r?ajoute|remets?|mets?)[rz]?|add|put)"
    r"(?: (?:it|that|this|them|those|la|le|les|ca|ça))?$"
)


_ORDER = re.compile(
    rf"(?:um |uh |euh |like |genre )*{_LEAD_IN}(?:(?:make|draw|paint|create|generate|show|imagine|"
    r"sketch|design|do)(?: (?:me|us))? (?:an?|some|two|three|my)\b|(?:i want|i need|i'd like|"
    r"i'd love|i should like|i would like|i would love|give me|get me)(?: like)? (?:an?|some) "
    r"(?!different|new|other)|"
    r"(?:draw|paint|show|imagine)(?: me)? (?:what|whatever|how|why)\b|"
    r"(?:dessine|montre|imagine|peins)(?: moi)? (?:ce qu|comment|pourquoi)|"
    r"(?:dessine[rz]?|fais|faire|peins|imagine|cree[rz]?|genere[rz]?|montre)(?: (?:moi|nous))? "
    r"(?:une?|des|mon|ma)\b|(?:il me faut|j'ai besoin d'|je (?:veux|voudrais|souhaite|"
    r"souhaiterais)|j'aimerais)"
    r"(?: avoir)?(?: genre)? ?(?:une?|des)\b)"
)


_FEW_WORDS = 7
_ONLY_CHANGING = re.compile(
    rf"{_LEAD_IN}(?:"
    r"(?:add|remove|delete|erase|replace|get rid of|take out|take away|zoom (?:in|out)|brighten|"
    r"darken|sharpen|desaturate|recolou?r|crop)\b|"
    r"(?:make|turn|put|give|change|fix|move|flip|rotate) (?:it|him|her|them|this|everything)\b|"
    r"(?:change|swap|switch) the [a-z' ]{2,30} (?:to|into|for|with) [a-z]|"
    r"(?:ajoute|rajoute|enleve|retire|vire|supprime|efface|remplace|floute|recadre|zoome|dezoome|"
    r"assombris|eclaircis)[rz]?\b|"
    r"(?:mets|met|rends|rend|donne|fais) (?:lui|leur|le|la|les|ca) (?!feu\b|paix\b|fete\b)|"
    rf"{_POLITELY}(?:ajouter|rajouter|enlever|retirer|virer|supprimer|effacer|remplacer|flouter|"
    r"recadrer|dezoomer|lui mettre|la rendre|le rendre|la mettre|le mettre)\b)"
)
_PRONOUN = (
    r"(?:make|turn|paint|colou?r|do|try|have|get|put|move|flip|rotate|crop|fix|redo|change|keep|"
    r"set|"
    r"resize|shrink|blur|zoom|bring|see|give) (?:it|him|her|them|this|that|everything)\b|"
    r"(?:rends|mets|fais|passe|tourne|change|corrige|retourne|garde|vieillis|rajeunis|essaie|"
    r"refais|"
    r"recadre|agrandis|eclaircis|assombris|rapetisse) (?:le|la|les|lui|leur|ca)\b(?! [a-z]+ [a-z]+ "
    r"[a-z]+)"
)
_DEGREE = (
    rf"(?:a (?:bit|little|lot) |slightly |much |way |even |still )*(?:{_MORE}|(?:more|less|too) "
    rf"[a-z]+)"
    r"(?: (?:please|now|again|though))?$|(?:un peu |beaucoup |bien |encore )*(?:plus|moins|trop) "
    r"[a-z]+$"
)
_OF_NOTHING = re.compile(rf"{_LEAD_IN}(?:{_PRONOUN}|{_DEGREE})")
_THING = re.compile(
    r"\b(?:an?|some|two|three|the|une?|des|deux|trois|of|de|with|avec|like|"
    r"comme)\b"
)


def names_nothing(text: str) -> bool:
    """Whether an instruction names nothing that could be drawn: "make it darker", "too bright"."""
    words = _POLITE_END.sub("", _folded(text))
    instruction = _OF_NOTHING.match(words)
    rest = words[instruction.end() :] if instruction else words
    return bool(instruction) and len(words.split()) <= _FEW_WORDS and not _THING.search(rest)


def only_changes(text: str) -> bool:
    """Whether an instruction makes no sense but for a picture that is there: "add a hat".

    "Make the house blue" may also be drawn, as a blue house.
    """
    return bool(_ONLY_CHANGING.match(_folded(text))) and reads_as_instruction(text)


def reads_as_order(text: str) -> bool:
    """Whether the words ask for a new picture: "please make a mermaid"."""
    return bool(_ORDER.match(_folded(text)))


def reads_as_instruction(text: str) -> bool:
    """Whether the words ask to change a picture that is there, rather than for a new one."""
    words = _folded(text)
    plain = _POLITE_END.sub("", words)
    return (
        not has_caption(words)
        and not _PICTURE_OF.match(words)
        and any(
            map(_is_instruction, (words, plain, *after_small_talk(words), *after_small_talk(plain)))
        )
    )


def _is_instruction(words: str) -> bool:
    return any(
        (
            _INSTRUCTION.match(words) and not _YOURS.match(words),
            is_remark(_AFTER_LEAD_IN.sub("", words, count=1)),
            _ASKED.match(words),
            _REPLACING.search(words),
            _CORRECTING.search(words),
        )
    )


def _folded(text: str) -> str:
    """Lower case, without accents; hyphens in verbs ("fais-le") become spaces."""
    folded = unicodedata.normalize("NFKD", view_of(clean_text(text[:300])).text).casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c)).replace("’", "'")
    compound = _COMPOUND.match(letters)
    joined = f"{compound['verb']}{letters[compound.end() :]}" if compound else letters
    full = spelled_out(joined.replace("-", " ").replace(" — ", ", "))
    return re.sub(r"[.!?…\s]+$", "", full.lstrip(" .,!?…"))
