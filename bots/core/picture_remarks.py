"""Sentences about a picture that is there: what it lacks, what it should be, what if. Pure.

They have a definite subject ("the cat", "her hair", "the one on the left", "it") and a verb that
says what should be different. The text is in lower case without accents, and its lead-in is taken
off.
"""

from __future__ import annotations

import re

_ENGLISH_NOUN = r"(?:the|his|her|its|their|my|that|this|those|these) [a-z' ]{2,40}?"
_ENGLISH_PLACED = (
    r"(?:the (?:one|guy|man|woman|girl|boy|thing|person|dude)s? (?:on|in|at|to|with|behind|next) "
    r"[a-z' ]{2,30}?|the (?:left|right|middle|first|second|third|last|other) one)"
)
_ENGLISH_PRONOUN = r"(?:it|he|she|they|this|that|everything|everyone)"
_LOOK = (
    r"(?:be|have|look|wear|hold|face|sit|stand|smile|stay|show|fit|go|come|get|turn|point|touch|"
    r"match|fill|lie|lean|float|glow|shine|cover|hang|fly|open|close|raise|move|appear|match)"
)
_SHOULD = (
    rf"(?:(?:has to|have to|must)(?= (?:not |also |still )?{_LOOK}\b)|"
    r"should|shouldn't|shouldnt|ought to|needs? to|need|needs|could use|"
    r"could do with|(?:is|are|was|were) (?:supposed|meant) to|was to be|wasn't supposed to|"
    r"wasnt supposed to|would (?:look|be) (?:better|nicer|cooler|great|nice|good))"
)
_FLAWED = (
    r"(?:too|way too|a bit too|a little too|not [a-z]+ enough|unreadable|illegible|unfinished|"
    r"off|wrong|weird|missing|blurry|"
    r"messed up|cut off|cropped|crooked|upside down|backwards|distorted|deformed|floating|"
    r"not visible|not right|in the wrong place|the wrong [a-z]+|facing the wrong way)"
)
_FRENCH_NOUN = r"(?:(?:le|la|les|son|sa|ses|leurs?|ce|cette|ces|mon|ma|mes) |l')[a-z' ]{2,40}?"
_FRENCH_PLACED = r"(?:celui|celle|ceux|celles)(?: [a-z' ]{2,30}?)?"
_FRENCH_PRONOUN = r"(?:il|elle|ils|elles|ca|on|tout)"
_DEVRAIT = (
    r"(?:(?:ne )?(?:devrait|devraient|doit|doivent|devait|devaient|pourrait|pourraient|peut|"
    r"peuvent|aurait du|auraient du|etait cense|etaient censes|est cense|etait censee|"
    r"est censee)(?: (?:pas|plus|aussi|bien))*)"
)
_INFINITIVE = r"(?:etre|[a-z]+(?:er|ir|re|oir))"
_RATE = (
    r"(?:trop(?! tard| cool| bien| bon| beau| mignon| chou| drole| fort| classe| style| top)|un "
    r"peu trop|beaucoup trop|bien trop|pas "
    r"assez|illisibles?|flou[es]*|rate[es]*|bizarre[s]?|coupe"
    r"[es]*|de travers|a l'envers|deforme[es]*|mal (?:fait|faite|faits|faites|place|placee|"
    r"dessine|dessinee|cadre|cadree)|pas (?:le bon|la bonne|les bons|les bonnes|droit|droite|"
    r"visible|a sa place|au bon endroit|jolie?|terrible|realiste|net|nette))"
)
_ENGLISH = (
    r"(?:that|it)(?:'s|s| is) (?:definitely |clearly |really )?not an? [a-z]+(?: [a-z]+)?$",
    (
        r"(?:(?:the |your )?spelling (?:is|looks)|(?:it's|its|that's|it is|the (?:text|word|"
        r"name) is) (?:misspell?ed|spell?ed)|there(?:'s| is) a (?:typo|spelling mistake))\b"
    ),
    r"what would (?:it|he|she|they|that|this) look like (?:in|at|with|without|as|on|if)\b",
    r"(?:just|only) (?:the|his|her|its) [a-z]+$",
    (
        r"(?!an? |i |you |we |we'|the |who |what )[a-z]+(?: [a-z]+)? "
        r"(?:should|needs to|shouldn't) "
        rf"(?:not |also )?{_LOOK}(?:ing)?\b[^,]*$"
    ),
    r"(?:do|make|draw|show)(?: me)? one (?:with|without|in|at|where|but|from|like)\b",
    rf"(?:{_ENGLISH_NOUN}|{_ENGLISH_PLACED}|{_ENGLISH_PRONOUN}) {_SHOULD} [a-z]",
    (
        rf"(?:{_ENGLISH_NOUN}|{_ENGLISH_PLACED}|{_ENGLISH_PRONOUN})"
        r"(?:'s| is| are| was| were|'re|s| looks?| look| came out| seems?| feels?|) "
        rf"(?:still |kind of |a bit |really |so |just |all |also )*{_FLAWED}\b[a-z' ]{{0,25}}$"
    ),
    r"why (?:is|are) there (?:an?|some|two|three|four|so many|no|people) ?[a-z ]{0,25}$",
    (
        r"who(?:'s|s| is| are) (?:that|this|the|those|these)(?: [a-z]+)? (?:in|on|at|behind|next "
        r"to|"
        r"with|beside) (?:the|him|her|it|them) ?[a-z]{0,15}$"
    ),
    (
        r"(?:what(?:'s|s| is)) (?:that|this) (?:thing |stuff )?(?:on|in|behind|over|next to) [a-z "
        r"]{2,25}$"
    ),
    (
        r"(?:love|like|loved) the [a-z]{2,15},? (?:but )?(?:hate|not|don't like|dont like|lose|"
        r"dislike) the [a-z]{2,15}$"
    ),
    (
        r"(?:the )?[a-z]{2,12} (?:is )?(?:good|great|ok|okay|fine|perfect|cool),? (?:but "
        r")?(?:the )?"
        r"[a-z]{2,12} (?:is )?(?:bad|not|wrong|awful|ugly|weird|meh|off)(?: ok| okay| good| "
        r"great)?$"
    ),
    (
        r"(?:should|needs? to|must|has to|supposed to) (?:not |also )?(?:be|have|look|wear|face) "
        r"[a-z]"
    ),
    (
        r"(?:it|he|she|they|the [a-z ]{2,30}?)(?:'s|s| is| are|'re)? (?:still )?missing (?:an?|"
        r"the|his|"
        r"her|its|some|one|two|most|all)\b[^,]*$"
    ),
    (
        r"(?:what|how about|imagine) if (?:it|he|she|they|this|that|everything|everyone|we|you) "
        r"(?:was|were|is|are|had|has|have|wore|could|would|looked|made|did|put|"
        r"add|added|use|used|took|try|tried|change|changed|gave|give|turn|turned|remove|removed)\b"
    ),
    (
        r"(?:wrong|not the right) (?:colou?rs?|size|hand|side|place|angle|shape|breed|animal|"
        r"person|"
        r"style|background|number|amount|direction|clothes|outfit)(?=$|[.,!:;]| for | on (?:the|"
        r"his|"
        r"her|it)| again| it | should )"
    ),
    (
        r"(?:it|this|that|he|she|they) (?:would|'d) (?:be|look) [a-z ]{0,12}(?:better|nicer|cooler|"
        r"funnier|cuter) [a-z]"
    ),
    (
        r"(?:would|could|can|should) (?:it|he|she|they|the [a-z ]{2,30}?|his [a-z]+|her [a-z]+) "
        r"(?:be|have|look|wear|hold|face|sit|stand|smile|get|go)\b"
    ),
    (
        r"(?:why (?:does|do|is|are|did)|how come) (?:he|she|they|his [a-z]+|"
        r"her [a-z]+) (?:have|has|look|looking|so|missing|not|got|wearing|holding|[a-z]+ing)\b"
    ),
    r"(?:where(?:'s|s| is| are| did)) (?:his|her|its|their|the) [a-z ]{2,20}(?: go)?$",
    (
        r"(?:i|we) (?:said|asked for|meant|wanted|told you|ordered) (?:the|it|no|him|her|them|red|"
        r"blue|green|black|white|more|less)\b"
    ),
    (
        r"(?:he|she|they|it) (?:has|have|'s got|got) (?:no|too many|only|\d|three|four|five|six|"
        r"seven|two left|two right|extra|an extra|one too many)\b"
    ),
)
_FRENCH = (
    r"(?:ca )?(?:c'est|ce n'est|est) pas (?:du tout |vraiment )?une? [a-z]+(?: [a-z]+)?$",
    (
        r"(?:c'est |(?:le|la|les) [a-z]{2,12} (?:est |sont )?)(?:mal (?:ecrit|orthographie)[es]*|"
        r"ecrite?s? (?:mal|de travers))\b"
    ),
    r"(?:il )?y a une? (?:petite |grosse )?(?:faute|coquille|erreur)(?: d'orthographe)?\b(?! de )",
    r"(?:juste|seulement|que) (?:(?:le|la|les|son|sa|ses) |l')[a-z]+$",
    r"ca (?:donnerait|donne|ferait|rendrait) quoi(?: (?:si|avec|sans|en|dans|la nuit|de nuit)\b|$)",
    rf"{_FRENCH_NOUN} (?:on dirait|ressemble(?:nt)?(?: plus| trop)? a) [^,]*$",
    (
        rf"(?:{_FRENCH_NOUN}|{_FRENCH_PLACED}|{_FRENCH_PRONOUN})"
        rf"(?: (?:il|elle|ils|elles|ca))? {_DEVRAIT} {_INFINITIVE}\b(?<!mourir)(?<!dormir)"
    ),
    (
        rf"(?:{_FRENCH_NOUN}|{_FRENCH_PLACED}|{_FRENCH_PRONOUN}|c'est|c'etait)"
        rf"(?: (?:est|sont|etait|a l'air|ont l'air|fait|font|reste|parait|semble|il est|elle est|"
        rf"ils sont|elles sont|c'est))? (?:encore |toujours |vraiment |un peu |quand meme |juste )*"
        rf"(?<!plus )(?<!moins ){_RATE}(?: [a-z']+){{0,3}}$"
    ),
    r"pourquoi (?:il )?y a (?:une?|des|deux|trois|autant|plein) ?[a-z' ]{0,25}$",
    (
        r"c'est (?:qui|quoi)(?: ca| le truc| le mec| la meuf)? (?:derriere|devant|au fond|a "
        r"gauche|a droite|sur|dans|a cote)\b[a-z' ]{0,25}$"
    ),
    (
        r"(?:le |la |les )?[a-z]{2,12} (?:est |c'est )?(?:ok|bien|bon|nickel|parfait|super),? "
        r"(?:mais )?"
        r"(?:le |la |les )?[a-z]{2,12} (?:est |c'est )?(?:pas|nul|moche|bof|rate)(?: ok| bien| "
        r"bon| "
        r"terrible| top)?$"
    ),
    rf"{_DEVRAIT} etre [a-z]",
    (
        rf"{_FRENCH_NOUN} (?:c'est|il va|elle va|ca va|va|vont) (?:sur|dans|devant|derriere|sous|"
        rf"pour) (?:le|la|les|son|sa|ses|l')\b"
    ),
    (
        r"(?:il|elle|ils|elles|on|ca|y|(?:le|la|les) [a-z ]{2,30}?) (?:lui |leur |y |en "
        r")?manque(?:nt)? "
        r"(?:encore |toujours |juste |peut etre )?(?:un|une|des|de|du|le|la|les|son|sa|ses|deux|"
        r"trois|plus|quelque)\b"
    ),
    (
        r"(?:(?:et )?si )(?:c'etait|il|elle|ils|elles|on|tu|tout|(?:son|sa|ses) "
        r"[a-z ]{2,30}? (?:etait|etaient|avait|avaient|portait|devenait))\b"
    ),
    r"(?:c'est |c'etait |ce n'est )?pas (?:la bonne|le bon|les bons|les bonnes) [a-z]",
    (
        r"(?:c'est |c'etait )?(?:la mauvaise|le mauvais|les mauvaises?) (?:couleur|taille|main|"
        r"cote|"
        r"angle|sens|forme|race|animal|personne|style|fond|endroit|direction)s?\b"
    ),
    (
        r"(?:on|tu|vous) (?:peut|pourrait|peux|pourrais|pouvez|pourriez) (?:pas )?(?:essayer|"
        r"tenter|"
        r"voir|tester|imaginer|faire) (?:avec|sans|en|plus|moins|la meme|pareil|une version|un "
        r"peu)\b"
    ),
    (
        r"(?:essaie|essaye|tente|teste|vois)[rz]? (?:avec|sans|en|plus|moins|un peu|de (?:le|la|"
        r"les|"
        r"lui|mettre|faire|rendre|changer|enlever|ajouter))\b"
    ),
    (
        r"(?:ca|ce) (?:serait|sera|rendrait) (?:plus|mieux|bien|pas mal|cool|sympa|top)[a-z "
        r"]{0,12} "
        r"(?:avec|sans|si|en|de|dans|a|plus)\b"
    ),
    (
        r"(?:pourquoi|comment ca se fait qu)[' e]*(?:il|elle|ils|elles|(?:son|sa|ses) "
        r"[a-z ]{2,30}?) (?:a|ont|est|sont|n'a|n'ont|n'est|porte|tient|fait)\b"
    ),
    (
        r"(?:ou|il) (?:est|sont|est passe|est passee|sont passes) (?:son|sa|ses|la|le|les) "
        r"[a-z ]{2,20}$"
    ),
    (
        r"j'(?:ai|avais) (?:dit|demande|voulu|bien dit|bien demande) "
        r"(?:le|la|les|pas|sans|avec|une?|des)\b"
    ),
    r"je (?:voulais|parlais de) (?:le|la|les|qu'il|qu'elle|que)\b",
    (
        r"(?:il|elle|ils|elles) (?:a|ont) (?:pas|plus|trop|que|\d|trois|quatre|cinq|six|deux "
        r"(?:main|pied|tete)s? (?:gauche|droit))\b"
    ),
)
_CAPTION = re.compile(
    r",(?: [a-z']+){0,4} (?:poster|sign|painting|illustration|drawing|cartoon|sticker|logo|art|"
    r"portrait|"
    r"photo|photograph|meme|cover|postcard|banner|tattoo|comic|print|card|mural|engraving|sketch|"
    r"ad|advert|advertisement|commercial|campaign|slogan|scene|still|lettering|"
    r"typography|flyer|billboard|movie|film|book|album|graffiti|statue|figurine|badge|mug|panel|"
    r"panneau|"
    r"affiche|dessin|peinture|tableau|autocollant|pochette|carte|fresque|gravure|tatouage)\b|"
    r",(?: une?)? (?:affiche|illustration|dessin|peinture|tableau|autocollant|pochette|portrait|"
    r"carte|panneau|pub|publicite|campagne|pancarte|bande dessinee|film|livre|couverture|"
    r"fresque|fiche|recette|gravure|tatouage|mappemonde|photo|partie|estampe|bd)\b"
)
_SCENE = re.compile(
    r", (?!(?:the|his|her|its|their|my|your|it|he|she|they|you|and|but|then|also|more|less|with|"
    r"without|please|pls|instead|try|keep|make|add|start|stop|maybe|so|this|that|now) )"
    r"(?:(?:an?|two|three|some) )?(?:[a-z']+ ){0,2}?"
    r"(?!(?:arm|leg|hand|finger|foot|tail|ear|eye|mouth|tongue|head|hair|wing|teeth|lip|fist|"
    r"nose|smile|nothing|something|everything|anything|morning|evening|during)s?\b)"
    r"[a-z']{3,} (?!(?:nothing|something|everything|anything|morning|evening|during|being)\b)"
    r"[a-z]{3,}ing\b(?: [a-z']+){0,4}$|"
    r", (?!(?:le|la|les|son|sa|ses|il|elle|celui|celle|ce|tout|mets|fais|ajoute|rends) )"
    r"(?:(?:une?|des|deux|trois) )?(?:[a-z']+ ){0,2}?"
    r"(?!(?:bras|jambe|main|doigt|pied|queue|oreille|bouche|langue|tete|aile)s?\b)"
    r"[a-z']{3,} qui [a-z']{3,}(?: [a-z']+){0,4}$"
)
"""Somebody who does something, whom the words before name not: "…, gandalf whispering"."""
_MENDING = (
    r"(?:put|add|make|change|remove|use|try|give|fix|replace|mets|ajoute|change|enleve|rends|fais|"
    r"vire|corrige|remplace)[rz]?\b"
)
_BOTH = (
    rf"{_ENGLISH_NOUN} (?:is|are|looks?|seems?) [a-z' ]{{2,25}}[,;.] {_MENDING}",
    rf"{_FRENCH_NOUN} (?:est|sont|fait|font|parait) [a-z' ]{{2,25}}[,;.] {_MENDING}",
)
"""What is wrong, and what to do about it."""
_REMARK = re.compile(f"(?:{'|'.join((*_BOTH, *_ENGLISH, *_FRENCH))})")


def has_caption(words: str) -> bool:
    """Whether the words end with what a picture shows.

    They name a kind of picture ("change the world, protest sign"), or tell of somebody who does
    something ("remove the ring, gandalf whispering").
    """
    return bool(_CAPTION.search(words) or _SCENE.search(words))


def is_remark(words: str) -> bool:
    """Whether the words say what should be different in a picture that is there."""
    return bool(_REMARK.match(words))
