"""Messages that name a command without asking for it, or ask for two things at once. Pure.

What is cancelled, undone or deleted must have been asked for: "don't cancel it", "did you cancel
mine?" and "what happens if I cancel" do nothing. "Cancel that and draw a cat" is two wishes, and a
question is better than half of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from bots.core.account_requests import requested_command
from bots.core.command_words import Word, plain_words, word_of
from bots.core.commands import BadCommand, BadInput
from bots.core.instructions import reads_as_instruction, reads_as_order
from bots.core.small_talk import is_greeting, is_small_talk

_LONGEST = 200
"""Characters of the longest message that is looked at."""
_MOST_JOINTS = 6
"""Places at which a message is split in two; a message with more is a list of words."""
_CANCELLING = r"(?:cancel|stop|abort|undo|revert|annule[rz]?|arrete[rz]?|stoppe[rz]?|defais)"
_DELETING = r"(?:delete|erase|remove|supprime[rz]?|efface[rz]?|vire[rz]?)"
_OPENING = (
    r"(?:(?:no+|non|hey|wait|please|pls|stp|svp|attends?|surtout|ok|but|mais|oh|ah|hop|bot|nan|"
    r"stop|yo|omg|euh)[ ,!.]+)*"
)
_OBJECT = (
    r"(?:(?: |, ?)(?:it|that|this|them|mine|one|anything|nothing|any|everything|all|my|the|of|"
    r"last|yet|please|pls|now|ever|again|ok|okay|though|bot|order|picture|pic|image|photo|job|"
    r"post|message|history|data|account|s|pas|plus|rien|jamais|ca|la|le|les|ma|mon|mes|cette|"
    r"celle|cell?ui|ci|commande|dessin|compte|donnees|photos|dessins|l|bot|images|pictures|pics|"
    r"orders|tout|stp|svp|encore|hein|"
    r"surtout|merci|derniere|maintenant|moi|non|no|bouge))*"
)
_NEGATED = re.compile(
    rf"{_OPENING}(?:(?:you )?(?:do not|don'?t|dont|never|better not|please not)(?: (?:you )?"
    rf"(?:dare|ever|even|actually|please))* (?:{_CANCELLING}|{_DELETING}){_OBJECT}|"
    rf"(?:do not|don'?t|dont) stop{_OBJECT}|"
    rf"(?:ne |n'|tu ne |il ne faut pas |faut pas |ne pas )(?:l'|la |le |les |me |m')?"
    rf"(?:{_CANCELLING}|{_DELETING}){_OBJECT}|"
    rf"(?:l'|la |le |les )?(?:{_CANCELLING}|{_DELETING}) (?:surtout )?(?:pas|rien){_OBJECT})"
)
_DONE = r"(?:cancell?(?:ed|ing)?|stopp?(?:ed)?|aborted|undone|annule[es]*|arrete[es]*)"
_REMOVED = r"(?:deleted?|erased?|removed?|supprime[es]*|efface[es]*)"
_MINE = (
    r"(?:my (?:last )?(?:order|picture|pic|image|job|one|request|photo)s?|mine|it|this|that|them|"
    r"the (?:last )?(?:order|picture|pic|image|job|one|photo)s?|ma (?:commande|demande|photo)|"
    r"mon (?:image|dessin)|mes (?:images|photos|dessins)|la mienne|les miennes|ca|tout|"
    r"l'image|la derniere)"
)
_ASKED_WHETHER = re.compile(
    rf"{_OPENING}(?:(?:why |when |so )*(?:did|have|has|was|were|is|are) (?:you|u|it|i|they|{_MINE}|"
    rf"someone|somebody|anyone|the bot)(?: just| really| already| not)* "
    rf"(?:(?P<done>{_DONE})|(?P<removed>{_REMOVED}))(?: {_MINE})?(?: or (?:not|what|no)| already|"
    rf" yet"
    rf"| now| on me| then)*|"
    rf"who (?:has )?(?:(?P<done2>{_DONE})|(?P<removed2>{_REMOVED})) {_MINE}|"
    rf"(?:pourquoi )?(?:est ce que )?(?:t'as|tu as|vous avez|t'es|c'est|il a|elle est|on a|as tu|"
    rf"avez vous|qui a|j'ai|{_MINE} (?:est|a ete|sont|ont ete)) (?:vraiment |bien |deja |tout )*"
    rf"(?:(?P<done3>annule[es]*|arrete[es]*)|(?P<removed3>{_REMOVED}))(?: {_MINE})?"
    rf"(?: ou (?:pas|quoi|non)| alors| la)*)"
)
_BY_MISTAKE = re.compile(
    rf"{_OPENING}(?:sorry |oops |oups |mince |zut |merde |shit )*(?:"
    rf"i (?:didn'?t|did not|never) (?:mean|want|ask|try|intend)(?:t|ed)?(?: you)? (?:to "
    rf")?{_CANCELLING}"
    rf"{_OBJECT}|"
    rf"i (?:just |accidentally |accidently )*(?:cancell?ed|stopped) {_MINE}"
    rf"(?: by (?:mistake|accident)| accidentally)|"
    rf"i accident(?:al)?ly (?:cancell?ed|stopped)(?: {_MINE})?|"
    rf"i (?:didn'?t|did not) {_CANCELLING} {_MINE}|"
    rf"(?:je n'|j')?ai (?:pas|jamais) (?:fait expres|demande|voulu) d?['e]? ?(?:l')?{_CANCELLING}"
    rf"{_OBJECT}|"
    rf"je (?:ne )?voulais pas (?:l'|la )?{_CANCELLING}{_OBJECT}|"
    rf"j'ai (?:tout )?annule(?: {_MINE})? (?:par erreur|sans (?:le )?(?:faire expres|vouloir))|"
    rf"j'(?:ai|avais) (?:pas|rien) (?:annule|arrete){_OBJECT})"
)
_SAID_WHY = re.compile(r" ?,? (?:i|i'm|i've|im|je|j')[ a-z'].{0,60}$")
"""The end of "don't delete anything, I just got here"."""
_IF_YOU_DO = re.compile(
    rf"{_OPENING}(?:if|si) (?:you|u|tu|vous) (?:dare |ever |l'|la |le |les )*"
    rf"(?:{_CANCELLING}|{_DELETING}|annules|arretes|supprimes|effaces)\b[^,]{{0,40}}"
)
_THANKED = re.compile(
    r"(?:thanks|thank you|thx|merci)? ?(?:so much |beaucoup |bcp )?(?:for (?:cancell?ing|stopping|"
    r"undoing|deleting)|d'avoir (?:bien )?(?:annule|arrete|supprime|efface))\b[^,]{0,30}"
)
_ON_A_BUTTON = re.compile(
    r"(?:hey |hi |so |and |et |alors |mais |but )*(?:"
    r"(?:where(?:'s|s| is)|il est ou|elle est ou|ou est|i (?:can't|cant|cannot|don't) (?:find|see)|"
    r"je (?:ne )?(?:trouve|vois) (?:pas|plus)|there(?:'s| is) no|(?:il )?y a pas de) (?:the |le |"
    r"la |"
    r"a |an )?(?:\w+ )?(?:button|bouton)(?: \w+){0,3}|"
    r"(?:the |le )?(?:\w+ )?(?:button|bouton)(?: \w+)? (?:is |isn't |does |doesn't |won't |est |"
    r"a |ne |"
    r"n'est )*(?:not working|broken|gone|missing|work|working|disappeared|grey|greyed out|disparu|"
    r"marche pas|marche plus|fonctionne pas|casse|grise|not there|pas la|plus la)(?: \w+){0,2})"
)
_ONLY_ASKING = re.compile(
    r"\b(?:just|only|juste|seulement)\b.*\b(?:know|ask|asking|wondering|see|savoir|demandais|"
    r"voir)\b"
)
_TOLD_IT_WAS = re.compile(
    rf"{_OPENING}(?:but |mais |hey )*(?:it|ca|c'|the bot|you|tu)(?: just)? ?(?:says?|said|shows?|"
    rf"dit|"
    rf"marque|affiche|me dit|ecrit) (?:that )?(?:(?:it'?s|it was|i|que c'est|que j'ai|mine is) )?"
    rf"(?:cancell?ed|annule[es]*)\b.*|"
    rf"(?:cancell?ed|annule[es]*)[ ?!.,]*(?:why|pourquoi|how come|comment ca|wtf|what)\b.{{0,20}}"
)
_HYPOTHETICAL = re.compile(
    rf"{_OPENING}(?:(?:is it|est ce|c'est|it's)(?: already| deja)? (?:too late|trop tard) (?:to|"
    rf"pour) "
    rf"(?:l')?{_CANCELLING}.{{0,30}}|(?:can|could|may) i still {_CANCELLING}.{{0,30}}|"
    rf"(?:je peux|est ce que je peux|puis je|on peut) (?:encore|toujours) (?:l'|la )?{_CANCELLING}"
    rf".{{0,30}}|"
    rf"(?:and |et |so |alors |mais )*(?:what (?:happens|if|would happen|is going to happen)"
    rf"(?: if| when)? (?:i|you|we) (?:{_CANCELLING}|{_DELETING})\b.{{0,40}}|"
    rf"should i (?:{_CANCELLING}|{_DELETING})\b.{{0,40}}|"
    rf"if i {_CANCELLING}\b.{{0,60}}(?:refund|credits?|charged?|back|lose)\b.{{0,30}}|"
    rf"(?:(?:il se passe quoi|ca fait quoi|qu'est ce qui se passe|que se passe t il) )(?:si|quand) "
    rf"(?:je |j'|on )(?:l'|la |le )?(?:{_CANCELLING}|{_DELETING})\b.{{0,40}}|"
    rf"si (?:je |j'|on )(?:l'|la |le )?(?:{_CANCELLING}|{_DELETING})\b.{{0,60}}"
    rf"(?:quoi|rembourse\w*|credits?|perds?|rendu|recupere)\b.{{0,30}}|"
    rf"(?:je dois|faut il|est ce que je dois) (?:l')?(?:{_CANCELLING}|{_DELETING})\b.{{0,30}}))"
)
_JOINT = re.compile(
    r"\s*(?:[.!?;]+\s+(?:(?:and|also|then|oh|so|btw|et|aussi|puis|ensuite|plus|au fait)\s+)*|"
    r",\s*(?:(?:and|also|then|but|btw|by the way|oh|et|aussi|puis|ensuite|mais|au fait|sinon)\s+)*|"
    r"\s(?:and|et)\s+(?:(?:btw|by the way|au fait|also|then|now|please|pls|aussi|puis|ensuite|"
    r"maintenant|plutôt|plutot|"
    r"just|instead)\s+)*|"
    r"\s(?:then|puis|ensuite|also|plus|btw|but|mais|après|apres)\s+|\n+)",
    re.IGNORECASE,
)
_ENDS = re.compile(
    rf"{_OPENING}(?:(?:can|could|would) (?:you|u) |(?:tu peux|peux tu|tu pourrais) |just |please )*"
    r"(?:cancel|stop|abort|undo|revert|scrap|scratch|kill|forget|drop|annule[rz]?|arrete[rz]?|"
    r"stoppe[rz]?|"
    r"defais|laisse[rz]? tomber|oublie[rz]?)"
    r"(?: (?:it|that|this|these|those|them|all|everything|the|my|last|previous|other|current|order|"
    r"picture|pic|image|drawing|job|one|ones|request|about|ca|celle|celui|ci|la|le|les|tout|toute|"
    r"cette|ma|mon|mes|derniere?|precedente?|commande|dessin|demande|en cours|please|pls|stp|svp|"
    r"d'avant|for|me|now))*"
)
_NARRATED = re.compile(
    r"\b(?:cancell?(?:ed|ing)|stopped|did|didn'?t|was|were|has|have you|if|si j|who|why|when|qui|"
    r"pourquoi|quand|mean to|try(?:ing)? to|instead of|rather than|should|would|not|never|"
    r"(?:as|a|ai|avez|est|etait|ete) (?:annule|arrete)[es]*|(?:as|avez) oublie|ne|n'annule|"
    r"n'arrete)\b"
)
"""What shows that cancelling is spoken of, and perhaps not asked for."""
_PARTICIPLE = re.compile(r"(?:annul|arr[eê]t)é")
_IMPERATIVE = re.compile(
    r"(?:^|[,.;!] ?|\b(?:no|non|oh|ah|wait|attends|rah|mince|shoot|oops|ok|so|just|hold up|"
    r"veuillez|"
    r"can you|could you|tu peux|peux tu) )(?:"
    r"(?:cancel|annule[rz]?|stop|laisse[rz]?(?: tomber)?|oublie|forget|never ?mind|nvm)"
    r"(?: (?:it|that|this|ca|tout|la|le|please|pls|stp|svp|now|one|mine|that one|celle la))*"
    r"(?:$| ?[,.;!]| (?:i|i'm|j'en|j'ai|c'est|c'etait|it|it's|that|sorry|wrong|mauvais|the wrong|"
    r"mon erreur|my bad)\b)|"
    r"(?:don'?t|do not) (?:do|draw|make|generate) (?:it|that|this|that one|this one|them)\b|"
    r"(?:fais|dessine|genere) pas (?:ca|celle la|celui la|celle ci|la|le)\b)|\b(?:cancel|annule)$"
)
"""An order to cancel that stands for itself, with a reason after it at most."""
_CHANGE = re.compile(
    r"\b(?:(?:la|ma|cette|les|mes|des|derniere|l) ?(?:derniere )?(?:modif(?:ication)?|retouche)s?|"
    r"(?:le|mon|ce|dernier|les|mes) (?:dernier )?(?:changement|ajout)s?|"
    r"(?:the|my|that|this|last) (?:last )?(?:edit|change|modification)s?)\b"
)
_NO_LONGER_WANTED = re.compile(
    rf"{_OPENING}(?:sorry|actually|oops|well|finalement|en fait|desole)?,? ?(?:"
    r"(?:i(?:'ve| have)? )?changed my mind(?: about (?:it|that|this|the picture))?|"
    r"i (?:do not|don'?t|no longer) (?:want|need) (?:it|this|that|them|(?:this|that) one|"
    r"(?:the|my|that|this) (?:picture|image|order))(?: any ?more| now)?|"
    r"(?:j'ai |on a )?change d'avis|(?:je n'|j'|on )en (?:veux|veut|voulais) plus|"
    r"(?:je n'|j')en ai plus (?:besoin|envie)|plus besoin|(?:c'est )?(?:plus|pas) la peine)"
    r"(?:,? (?:sorry|finalement|desole|merci|thanks|actually|lol|mdr))*"
)
_ENDS_A_NAMED_ONE = re.compile(
    rf"{_OPENING}(?:cancel|stop|scrap|forget|drop|annule[rz]?|arrete[rz]?|oublie[rz]?) "
    r"(?:the|my|that|le|la|les|l'|mon|ma|ce|cette) ?[a-z]+(?: one)?"
)
_CANCELS_A_NAMED_ONE = re.compile(
    rf"{_OPENING}(?:cancel|annule[rz]?) (?:the |my |that |le |la |les |l'|mon |ma |ce |cette )"
    r"(?!(?:show|party|wedding|game|war|noise|music|concert|tour|world|apocalypse|culture|spectacle|"
    r"fete|mariage|guerre|musique|monde|match|noel|christmas)\b)[a-z]+(?: one)?"
)
"""What is cancelled by its subject; a show that is cancelled is a picture's."""
_ACCOUNT = frozenset({Word.QUOTA, Word.QUEUE, Word.HISTORY, Word.SETTINGS})
_PROMPT_START = re.compile(
    r"(?:an?|some|two|three|four|my|une?|des|deux|trois|quatre|mon|ma|draw|dessine|make|paint|fais|"
    r"genere|generate|create|cree) ",
)
_ORDERED = re.compile(
    r"(?:please |pls |stp |svp |just |now |maintenant |plutot |instead |juste |te |me )*"
    r"(?:(?:do|make|draw|paint|create|generate|give me|show me|get me|"
    r"dessine[rz]?|fais|faire|faites|genere[rz]?|cree[rz]?|peins|montre|mets)(?: moi| me)?(?: "
    r"plutot)? "
    r"(?:an?|some|two|three|four|my|the|une?|des|deux|trois|quatre|mon|ma|le|la|les|of)\b|"
    r"(?:i want|i need|i'd like|i'd rather have|i'd prefer|je veux|je voudrais|j'aimerais|"
    r"je prefere|il me faut)(?: plutot)? (?:an?|some|two|three|my|the|une?|des|deux|trois|mon|ma|"
    r"le|"
    r"la|les)\b)"
)
_INSTRUCTED = re.compile(
    r"(?:make|add|remove|change|put|turn|give|ajoute[rz]?|enleve[rz]?|mets|mettre|change[rz]?|"
    r"rends|"
    r"fais|vire[rz]?|replace|remplace[rz]?) [a-z]"
)
_ASKING = re.compile(
    r"\b(?:how|where|when|what|whats|which|combien|quand|ou|quoi|quel|quelle|quels|quelles|show|"
    r"tell|"
    r"check|montre|dis|affiche)\b"
)
_ASIDE = re.compile(r"\b(?:btw|also|oh|aussi)\b|[.!?]\s", re.IGNORECASE)
"""A joint that sets a question apart from a prompt."""
_FLAG = re.compile(r"\s(?:--|—|–)\w")


def named_only(  # noqa: PLR0911 - one case a way of naming it
    text: str,
) -> Word | BadCommand | None:
    """The answer to a message that names cancelling or deleting without asking for it."""
    plain = _plain(text)
    if not plain:
        return None
    clause, comma, rest = plain.partition(",")
    if comma and _NEGATED.fullmatch(clause.strip()):
        asked = requested_command(rest.strip())
        if asked in _ACCOUNT or asked is Word.HELP:
            return asked
    if _NEGATED.fullmatch(_SAID_WHY.sub("", plain)) or _IF_YOU_DO.fullmatch(plain):
        return BadCommand(BadInput.NOTHING_CHANGED)
    if comma and _NEGATED.fullmatch(clause.strip()) and _ONLY_ASKING.search(rest):
        return BadCommand(BadInput.NOTHING_CHANGED)
    if whether := _ASKED_WHETHER.fullmatch(plain):
        groups = whether.groupdict()
        statement = plain.startswith(("j'ai ", "c'est "))
        if statement and not text.rstrip().endswith("?"):
            return None
        removed = groups["removed"] or groups["removed2"] or groups["removed3"]
        return Word.HISTORY if removed else Word.QUEUE
    if _BY_MISTAKE.fullmatch(plain) or _TOLD_IT_WAS.fullmatch(plain):
        return Word.QUEUE
    if _THANKED.fullmatch(plain):
        return BadCommand(BadInput.NOTHING_TO_DRAW)
    asks = _HYPOTHETICAL.fullmatch(plain) or _ON_A_BUTTON.fullmatch(plain)
    return Word.HELP if asks else None


def is_plain_cancel(text: str) -> bool:
    """Whether a message tells to cancel, rather than tells or asks what was cancelled."""
    return not _NARRATED.search(_plain(text)) and not _PARTICIPLE.search(text.lower())


def is_imperative_cancel(text: str) -> bool:
    """Whether a message, whatever else it says, gives the order to cancel in so many words."""
    return is_plain_cancel(text) and bool(_IMPERATIVE.search(_plain(text)))


def undoes_a_change(text: str) -> bool:
    """Whether what is to be "cancelled" is a change to a picture: it is undone instead."""
    return bool(_CHANGE.search(_plain(text)))


def is_no_longer_wanted(text: str) -> bool:
    """Whether a message says that an order isn't wanted, or names the one to cancel by its subject.

    Such as "changed my mind" and "cancel the ghost": which order is meant is for the member to say.
    """
    plain = _plain(text)
    return bool(_NO_LONGER_WANTED.fullmatch(plain) or _CANCELS_A_NAMED_ONE.fullmatch(plain))


def several_wishes(text: str) -> BadCommand | None:
    """The question back to a message that asks for two things; None for any other message."""
    if len(text) > _LONGEST:
        return None
    for first, joint, second in _parts(text):
        if _are_two_wishes(first, joint, second):
            ends = _ENDS.fullmatch(_plain(second))  # sent last, it would cancel the other
            wishes = (second, first) if ends else (first, second)
            return BadCommand(
                BadInput.SEVERAL_WISHES, dict(zip(("first", "second"), wishes, strict=True))
            )
    return None


def _parts(text: str) -> Iterator[tuple[str, str, str]]:
    """The message split in two at each joint."""
    for joint in islice(_JOINT.finditer(text), _MOST_JOINTS):
        first, second = text[: joint.start()].strip(" ,;"), text[joint.end() :].strip(" ,;")
        if first and second:
            yield first, joint[0], second


def _are_two_wishes(first: str, joint: str, second: str) -> bool:
    plain, rest = _plain(first), _plain(second)
    if _ENDS_A_NAMED_ONE.fullmatch(plain) and _is_plain_order(second, rest):
        return True
    if _ENDS.fullmatch(plain):
        return _is_order(second, rest) or _asked(second) in _ACCOUNT
    if _ENDS.fullmatch(rest) and len(rest.split()) > 1:
        return bool(_PROMPT_START.match(plain)) and is_plain_cancel(first)
    if _asked(first) in _ACCOUNT:
        return _is_plain_order(second, rest) or (
            _asked(second) in _ACCOUNT - {_asked(first)}
            and bool(_ASKING.search(rest) or word_of(second))
        )
    if _asked(second) not in _ACCOUNT or len(rest.split()) < 3 or _is_why(rest):
        return False
    return bool(
        not is_small_talk(first)
        and not is_greeting(first)
        and (
            _PROMPT_START.match(plain)
            or _FLAG.search(first)
            or _ASIDE.search(joint)
            or reads_as_instruction(first)
        )
        and _asked(first) is None
        and not re.search(r"\b(?:i|j|je|you|tu)\b", _after_order(plain))
    )


def _is_order(text: str, plain: str) -> bool:
    """Whether what follows a cancelled order is a new order or a change."""
    return bool(_is_plain_order(text, plain) or _INSTRUCTED.match(plain)) or (
        reads_as_instruction(text) and len(plain.split()) > 1
    )


def _is_plain_order(text: str, plain: str) -> bool:
    return reads_as_order(text) or bool(_ORDERED.match(plain))


def _is_why(plain: str) -> bool:
    """Whether words say why something is asked, rather than ask for more."""
    return bool(
        re.match(
            r"(?:it|that|c'|ca|because|parce|cause|i|j|je|il(?! (?:m'en|me|en) )|elle|nothing|"
            r"rien)\b",
            plain,
        )
    )


def _after_order(plain: str) -> str:
    """The words of an order after "can you draw me"."""
    return re.sub(r"^(?:can you|could you|tu peux|peux tu|i want|i'd like|je veux) ", "", plain)


def _asked(text: str) -> Word | None:
    return requested_command(text)


def _plain(text: str) -> str:
    return plain_words(text) if len(text) <= _LONGEST else ""
