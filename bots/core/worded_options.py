"""Options that are written as words rather than flags: "in 16:9", "square format, please". Pure.

They are read at the ends of a prompt only, where nothing else can be meant. Inside a prompt, and
wherever the words can be part of a description ("a clock that shows 10:10", "a portrait of a
square"), they stay words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bots.core.command_words import POLITE, word_set
from bots.core.flag_values import COUNT_WORDS, SHAPES, FlagError, read_flag
from bots.core.typed_text import clean_text, view_of

_END = rf"(?:[\s,]*{POLITE})?[\s.!)\]]*\Z"
_SEPARATOR = r"(?:\s*[,;:(\[\n]\s*|\s+[|/]\s+|\s+[-—]+\s+|\.\s+)"
_RATIO = r"(?P<aspect>\d{1,2}(?:[.,]\d{1,2})?\s?(?:[:x×/∶]|by|sur|par)\s?\d{1,2})"
_COMMON_RATIO = (
    r"(?P<aspect>(?:16|21)\s?(?:[:x×/∶]|by|sur|par)\s?(?:9|10)|9\s?(?:[:x×/∶]|by|sur)\s?16|"
    r"(?:1[:∶]1|3[:∶]2|2[:∶]3|4[:∶]3|3[:∶]4|4[:∶]5|5[:∶]4))"
)
_NO_RATIO_AFTER = "".join(
    rf"(?<!\b{word}\s)"
    for word in word_set(
        """at says shows show showing reads score scores scored scoring result won win wins lost
        final clock verse by to john affiche affichant indique indiquant marque gagne perdu de à"""
    )
)
"""Words after which "3:2" is a time, a score or a verse."""
_PIXELS = r"(?P<aspect>\d{3,4}\s?(?:[x×*]|by|par|sur)\s?\d{3,4})(?:\s?(?:px|pixels))?"
_SHAPE = rf"(?P<shape>{'|'.join(sorted(SHAPES, key=len, reverse=True))})"
_PLAIN_SHAPE = rf"(?:{'|'.join(sorted(SHAPES, key=len, reverse=True))})"
_MAKE_IT = (
    r"(?:(?:make|do|draw|have|want|need|i want|i need|i'd like) (?:it|them)|(?:fais|faites|"
    r"mets)[- ]"
    r"(?:la|le|les|moi ça|moi ca|ça|ca)|je (?:la|le|les) veux)(?:\s+(?:in|en|at|as|au format))?\s+"
)
_KEYWORD = r"(?:(?:aspect[\s-]?)?ratio|aspect|format|ar)"
_SHAPED = rf"(?:{_KEYWORD}|mode|orientation|shape|size)"
_ANY_NUMBER = rf"\d{{1,2}}|{'|'.join(sorted(COUNT_WORDS, key=len, reverse=True))}"
_NUMBER = rf"(?P<count>{_ANY_NUMBER})"
_SEVERAL = rf"(?!(?:one|une?)\b){_NUMBER}"
_PICTURES = (
    r"(?:(?:different|diff|separate|other|new|diff[eé]rentes?) )?"
    r"(?:pictures?|pics?|images?|imgs?|versions?|variations?|variantes?|variants?|options?|takes?)"
)
_DRAWINGS = (
    rf"(?:{_PICTURES}|photos?|drawings?|dessins?|sketch(?:es)?|paintings?|illustrations?|"
    r"propositions?|id[ée]es?|ideas?|essais?|exemples?|examples?)"
)
_WITH = r"(?:with |using |avec |and |et )?(?:the |la |le )?(?:same )?"
_MAKE = (
    r"(?:(?:can|could|would|will) (?:you|u|i) |(?:please|pls|plz) |i(?:'d| would) like |"
    r"i (?:want|need) |je (?:veux|voudrais) |j['’]aimerais |(?:tu|vous|je|on) (?:peux|peut|pouvez|"
    r"pourrais|pourrait|"
    r"pourriez) |(?:est[- ]ce que )?(?:on|je) pourrai[st] )?"
    r"(?:(?:me |nous |m['’])?(?:send|produce|donner|dessiner|cr[eé]er|g[eé]n[eé]rer|montrer|sortir|"
    r"envoyer|avoir|faire|draw|make|give|do|create|generate|paint|get|show|have|fais|faites|fait|"
    r"faire|"
    r"dessine[rz]?|"
    r"g[eé]n[eè]re[rz]?|donne[rz]?|cr[eé]e[rz]?)(?:[\s-](?:me|us|moi|nous))?\s+)"
)
_WISH = r"(?:(?:i(?:'d| would) like|i (?:want|need)|je (?:veux|voudrais)|j['’](?:aimerais|veux)) )"
_OF = (
    r"(?!\s+(?:of|de|d['’])\s?(?:me|us|him|her|you|them|myself|moi|toi|lui|elle|nous|eux|the same|"
    r"(?:une?|la|le) m[eê]me)\b)"
    r"(?:(?<=takes)\s+on\s+|(?<=take)\s+on\s+|\s+(?:of|de|du|showing|with|for|pour|avec)\s+|"
    r"\s+d['’]|\s*:\s*)"
)


def _compiled(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


_AT_THE_END = _compiled(
    # ", portrait, 2 versions"
    rf"\s+(?P<shape>portrait|landscape|square|paysage|carr[eé])\s+{_SEVERAL}\s+{_PICTURES}{_END}",
    rf",\s*(?P<shape>portrait|landscape|paysage)\s*,?\s*{_SEVERAL}\s+{_PICTURES}{_END}",
    # "format 16:9", "aspect ratio: 3:2", "ar 16:9", "in 16:9", "en 1920x1080", "16:9 format"
    rf"{_SEPARATOR}?(?:\b(?:in|en|au|as|with)\s+)?(?:\b(?:an?|the|"
    rf"le)\s+)?(?<![^\s(\[,;:])[-/]?{_KEYWORD}\s*[:=]?\s*"
    rf"(?:of\s+)?(?:{_RATIO}){_END}",
    rf"\s+at\s+(?P<aspect>(?:16|21)[:x/]9){_END}",
    rf"{_SEPARATOR}?\b(?:in|en|as)\s+{_RATIO}(?:\s+{_SHAPED})?(?:\s+{_PLAIN_SHAPE})?{_END}",
    rf"(?:{_SEPARATOR}|\s+)(?:(?:and|et|but|mais)\s+)?{_MAKE_IT}(?:{_RATIO}|{_SHAPE}){_END}",
    rf"{_SEPARATOR}?(?:\b(?:in|en|au|at)\s+)?(?:\b(?:an?|"
    rf"the)\s+)?(?<![\d:.,]){_RATIO}\s+{_SHAPED}{_END}",
    rf"{_SEPARATOR}(?<!\d[:.,]){_RATIO}{_END}",
    rf"(?:{_SEPARATOR}|\s+)(?:(?:in|en|at|as|size|taille|format)\s+)?{_PIXELS}{_END}",
    rf"(?:{_SEPARATOR}|\s+){_NO_RATIO_AFTER}{_COMMON_RATIO}(?:\s+{_PLAIN_SHAPE})?{_END}",
    # "square format", "in landscape mode", "en format portrait", ", square please", "en paysage"
    rf"{_SEPARATOR}?(?:\b(?:in|en|au|as)\s+)?(?:\b(?:an?|"
    rf"the)\s+)?\b{_SHAPED}\s*[:=]?\s*{_SHAPE}{_END}",
    rf"{_SEPARATOR}?(?:\b(?:in|en|au|as)\s+)?(?:\b(?:an?|the)\s+)?\b{_SHAPE}\s+{_SHAPED}{_END}",
    rf"{_SEPARATOR}(?:in\s+(?:an?\s+)?|en\s+|as\s+(?:an?\s+(?=square))?){_SHAPE}{_END}",
    rf"\s+-\s*{_SHAPE}\s*-{_END}",
    rf"\s*[(\[]{_SHAPE}[)\]]{_END}",
    rf"(?:{_SEPARATOR}|\s+)(?:but|mais)\s+(?:(?:in|en|au|as)\s+)?{_SHAPE}{_END}",
    rf"{_SEPARATOR}(?:make it\s+)?"
    rf"(?P<shape>square|vertical|horizontal|widescreen|carr[eé]e?|verticale|horizontale){_END}",
    rf"{_SEPARATOR}(?:make it\s+)?{_SHAPE}[\s,]+{POLITE}{_END}",
    r"\s+(?<!\ba\s)(?<!\ban\s)(?<!\bthe\s)(?<!\bune\s)(?<!\bun\s)(?<!\ble\s)(?<!\bla\s)"
    rf"(?<!\bmake it\s)(?:(?:in|en|au)\s+)?{_SHAPE}[\s,]+{POLITE}{_END}",
    r"\s+in\s+(?P<shape>widescreen)[\s.!)\]]*\Z",
    r"\s+en\s+(?P<shape>paysage|widescreen|verticale?|horizontale?)[\s.!)\]]*\Z",
    r"(?<!pli[ée])(?<!pli[ée]e)(?<!pli[ée]es)(?<!pli[ée]s)(?<!coup[ée])(?<!coup[ée]e)(?<!coup[ée]s)"
    r"(?<!coup[ée]es)(?<!assis)(?<!rang[ée]s)\s+en\s+(?P<shape>carr[ée])[\s.!)\]]*\Z",
    rf"{_SEPARATOR}(?:count|number|nombre|nb|how many)\s?[:=]\s?{_NUMBER}{_END}",
    rf"{_SEPARATOR}(?:strength|intensit[ée])\s?[:=]\s?(?P<strength>\d?[.,]?\d{{1,3}}\s?%?){_END}",
    # "seed 42", "with seed: 42", "graine 42"
    rf"(?:{_SEPARATOR}|\s+){_WITH}\b(?:seed|graine)\s*(?:[:=#]|number|n°|no\.?|num[eé]ro|is)?\s*"
    rf"(?P<seed>\d{{1,10}}){_END}",
    # "x4", "(x4)", ", 4 versions", "in 4 variations", "four of them"
    rf"(?:{_SEPARATOR}|\s+)(?<!\bbmw\s)(?-i:[x×])\s?(?P<count>[1-9]){_END}",
    rf"(?:{_SEPARATOR}|\s+)(?P<count>[1-9])\s?(?-i:[x×]){_END}",
    rf"{_SEPARATOR}(?:in|en|make|do|give me|fais|fais[- ](?:m['’]en|en))?\s*{_NUMBER}\s+"
    rf"(?:{_PICTURES}|of them|of those|exemplaires?|fois|times|copies){_END}",
    rf"\s+(?:in|en)\s+(?!1\b){_SEVERAL}\s+(?:{_PICTURES}|exemplaires?|copies){_END}",
    # "i want 3 of them", "j'en veux 3", "make 2 of them", "fais m'en deux"
    rf"(?:{_SEPARATOR}|\s+)(?:(?:and|et)\s+)?(?:(?:i(?:['’]d)? ?)?(?:want|need|like)|give me|gimme|"
    rf"make(?: it| them)?|do|"
    rf"draw|send)(?: me)?\s+{_NUMBER}(?:\s+(?:of (?:them|those|these|it)|{_PICTURES}))?{_END}",
    rf"(?:{_SEPARATOR}|\s+)(?:(?:et|mais)\s+)?(?:j['’]?en (?:veux|voudrais|aimerais|prends)|"
    rf"fais[- ](?:m['’])?en|il m['’]en faut|donne[- ]m['’]en)\s+{_NUMBER}(?:\s+{_PICTURES})?{_END}",
    rf"\s+{_SEVERAL}\s+(?:versions|variations|variantes|exemplaires|copies)[\s,]+{POLITE}{_END}",
    rf"(?:{_SEPARATOR}|\s+){_WITH}\bmod(?:el|[eè]le)\s*[:=]\s*(?P<model>[\w.-]+){_END}",
)
_AT_THE_START = _compiled(
    # "4 pictures of a fox", "draw me two versions of …", "3 logo ideas: …"
    rf"(?:{_MAKE}|{_WISH})?{_SEVERAL}\s+{_PICTURES}{_OF}",
    rf"(?:{_MAKE}|{_WISH}){_SEVERAL}\s+{_DRAWINGS}{_OF}",
    rf"{_SEVERAL}\s+(?:photos?|propositions?|concepts?|mock-?ups?){_OF}",
    # "16:9, a fox", "format 3:2: a fox", "square format, a fox", "1920x1080 a fox"
    rf"(?:(?:in|en|au)\s+)?(?:{_KEYWORD}\s*[:=]?\s*)?{_RATIO}(?:\s+{_SHAPED})?\s*(?:[,;:\n]|"
    rf"[-—]+\s)\s*",
    rf"(?:in|en)\s+{_RATIO}\s+",
    rf"{_KEYWORD}\s*[:=]?\s*{_RATIO}\s+",
    rf"{_PIXELS}(?:\s*[,;:\n]\s*|\s+)",
    rf"(?:(?:in|en|au)\s+)?{_SHAPED}\s*[:=]?\s*{_SHAPE}\s*[,;:\n]\s*",
    rf"(?:(?:in|en|au)\s+)?(?:an?\s+)?{_SHAPE}\s+{_SHAPED}\s*[,;:\n]\s*",
    rf"{_SHAPE}\s+(?:format|orientation|{_KEYWORD})\s+",
    r"(?:(?P<count>[2-4])(?-i:[x×])|(?-i:x)(?P<times>[2-4]))\s+(?=[^\W\d])",
    r"(?:(?:use |with |using |utilise |avec )(?:the |la )?)?(?:seed|graine)\s*[:=]?\s*"
    r"(?P<seed>\d{1,10})\s*[,;:\n]\s*",
)
_ALONE = _compiled(
    # What a message may consist of, besides the words that ask for the same again.
    rf"(?:{_SHAPED}\s*[:=]?\s*)?(?:{_RATIO})(?:\s+{_SHAPED})?",
    rf"(?:{_SHAPED}\s*[:=]?\s*)?{_PIXELS}",
    rf"{_SHAPED}\s*[:=]?\s*{_SHAPE}",
    rf"{_SHAPE}(?:\s+{_SHAPED})?",
    r"(?:seed|graine)\s*[:=#]?\s*(?P<seed>\d{1,10})",
    r"x\s?(?P<count>[1-9])\b|(?P<times>[1-9])\s?x\b",
    rf"{_NUMBER}(?:\s+(?:more|other|autres?|de plus|of (?:them|those|these)))?(?:\s+{_DRAWINGS})?"
    r"(?:\s+(?:times|fois|exemplaires?|copies|de plus|more))?",
    r"(?:(?:a|the|une?|la|le)\s+)?(?:another|different|new|other|random|autre|nouvelle|nouveau)\s+"
    r"(?:seed|graine)",
)
_JOINERS = re.compile(
    rf"(?:[\s,.;:!?()+&-]+|w/?(?=\s)|\b(?:but|mais|with|avec|in|en|at|as|and|et|au|the|le|la|an?|"
    rf"une?|"
    rf"this time|"
    rf"cette fois(?:[- ]ci)?|make it|make them|now|maintenant|instead|plutôt|using|me|it|"
    rf"version|à|i['’]d like|i want|i need|want|je veux|j['’]en (?:veux|voudrais)|je voudrais|"
    rf"{POLITE})\b)+",
    re.IGNORECASE,
)
_ONE_MORE = (
    r"(?:another(?: (?:one|version|go|try|take|pic(?:ture)?|image))?|one more(?: time| go| try)?|"
    r"a new one|a different one|a (?:second|third) one|"
    r"(?:encore )?une? autre(?: (?:image|version|essai|fois))?|encore une?(?: (?:fois|autre|image|"
    r"version))?)"
)
_AGAIN = re.compile(
    r"(?:(?:ok|okay|cool|nice|super|and|et|now|can (?:you|u|i)|could (?:you|i)|please|pls|stp|svp|"
    r"alors|tu peux|peux[- ]tu|je peux|i(?: want|['’]d like| need)|je (?:veux|voudrais)|j['’]en "
    r"veux|"
    r"j['’]aimerais|may i|let['’]?s)[\s,!]+)*"
    rf"(?:(?:(?:give|show|make|get|have|do|draw|send|see|try|donne|fais|faites|avoir|faire|montre|"
    rf"refaire|dessine)(?:[\s-](?:me|us|moi|nous|m['’]en|en))?\s+)?{_ONE_MORE}|"
    r"(?:the |do (?:the )?)?same(?: (?:thing|one|again|picture|image|prompt|pic))?|"
    r"(?:do|try|make|draw|run|roll|generate|have|get|see) (?:it |that |this |them )?(?:again|"
    r"back)|again|"
    r"once more|give it another (?:go|try|shot)|try once more|"
    r"re-?roll|re-?do(?: (?:it|that|this))?|repeat(?: (?:it|that|this))?|"
    r"encore|(?:(?:la|le|les) )?m[eê]mes?(?: (?:chose|image|prompt))?|"
    r"pareil|idem|(?:tu peux )?(?:la |le |les )?refai(?:s|re|tes)(?:[- ](?:la|le|les|m['’]en|en|"
    r"moi|ca|ça))*(?: une?(?: autre)?| pareil|"
    r" (?:la )?m[eê]me(?: chose)?)?|"
    r"(?:la |le |les )?r[eé]essa(?:ie|ye|yer)|retente[rz]?|"
    r"(?:la |le )?relance[rz]?(?:[- ](?:la|le|ça|ca))?|recommence[rz]?)(?![\w'’])"
    r"(?: (?:like (?:that|this|it)(?: one)?|comme (?:ca|ça|celle[- ](?:ci|la|là))))?",
    re.IGNORECASE,
)
_MORE = re.compile(
    rf"(?:(?:can|could|may) (?:you|u|i|we) |i (?:want|need) |(?:je|tu|on) (?:peu[xt]|pourrai[st]) "
    rf"(?:en )?|je (?:veux|"
    rf"voudrais) )?(?:(?:give|show|make|get|have|do|draw|see|donne|fais|faire|avoir|refais|"
    rf"fais)(?:[\s-](?:me|us|"
    rf"moi|m['’]en|en))? |j['’]en (?:veux|voudrais) )?(?:encore {_NUMBER}|(?P<times>(?!(?:one|"
    rf"une?)\b)(?:{_ANY_NUMBER})) (?:more|others?|autres?|"
    rf"de plus)|"
    rf"(?:a few|some|quelques) (?:more|autres))(?: {_DRAWINGS})?(?:\s+(?:of (?:them|those|these|"
    rf"it)|"
    rf"like (?:it|this|that|these|those)|comme (?:[cç]a|celles?[- ](?:l[aà]|ci))))?"
    rf"[\s.!,]*(?:{POLITE})?",
    re.IGNORECASE,
)
FLAG_LIKE = re.compile(r"[-‐‑‒–—―−﹣－]\s?[^\W\d_]{1,12}\s?[=:]?\s?\d|--|——")
"""What may be a flag, well formed or not."""
_DESCRIBED = re.compile(
    rf"(?!{_SHAPE}\s+{_SHAPED}\b)(?:{_SHAPE.replace('shape', 'described')}|an?|une?)\b",
    re.IGNORECASE,
)
_MARKED = re.compile(
    rf"(?:{_RATIO}|{_PIXELS.replace('aspect', 'pixels')}|{_SHAPED}\s+{_SHAPE}|"
    rf"{_SHAPE.replace('shape', 'shaped')}\s+{_SHAPED}|"
    r"\b(?:another|new|different|other|autre|nouvelle)\s+(?:seed|graine)\b)",
    re.IGNORECASE,
)


_IMPLIED_SHAPE = re.compile(
    rf"(?:,|\b(?:in|en))\s+(?P<shape>portrait|landscape|paysage|(?<=,\s)wide)(?:[\s,]*{POLITE})?[\s.!]*\Z",
    re.IGNORECASE,
)
_DRAWABLE = re.compile(r"[^\s.,;:!?()\[\]{}/-]")
_BRACKET = re.compile(r"[(\[]([^()\[\],]{1,60},[^()\[\]]{1,60})[)\]][\s.!]*\Z")
_LAST_CLAUSE = re.compile(r"(?:[,;.]|\s(?=au format\s))\s+([^,;]{4,60})\Z")
_LONGEST = 100
"""Characters that an option with the words around it may have."""


@dataclass(frozen=True, slots=True)
class Worded:
    """The words that are left of a prompt, and the options that were written as words."""

    words: str
    options: Mapping[str, Any]


def split_options(text: str) -> Worded:
    """Separate the options at the ends of a prompt from its words.

    Words that are options alone stay as they are. Raises FlagError for an option whose value is out
    of range.
    """
    options: dict[str, Any] = {}
    for _ in range(8):
        found = _in_brackets(text) or _at_an_end(text) or _in_last_clause(text)
        if found is None:
            break
        text, values = found
        options = {**values, **options}
    return Worded(text, options)


def _in_brackets(text: str) -> tuple[str, dict[str, Any]] | None:
    """The text without a last bracket of several options, such as "(x2, landscape)"."""
    bracket = _BRACKET.search(text[-_LONGEST:])
    if bracket is None:
        return None
    options = _options_that_fit(bracket[1])
    left = text[: len(text) - len(bracket[0])].rstrip()
    return (left, options) if "aspect" in options and _DRAWABLE.search(left) else None


def _options_that_fit(text: str) -> dict[str, Any]:
    """The options of a text that is made of them; none of any other text, or out of range."""
    try:
        return _options_alone(text, again=False) or {}
    except FlagError:
        return {}


def _in_last_clause(text: str) -> tuple[str, dict[str, Any]] | None:
    """The text without a last clause of options, such as ", i'd like 3:2 and 2 images"."""
    clause = _LAST_CLAUSE.search(text[-_LONGEST:])
    if clause is None or not re.search(r"\d", clause[1]):
        return None
    options = _options_that_fit(clause[1])
    left = text[: len(text) - len(clause[0])].rstrip(" \t,;")
    return (left, options) if "aspect" in options and _DRAWABLE.search(left) else None


def implied_aspect(words: str) -> str | None:
    """The aspect that the last words suggest: "an old man, portrait".

    They may be a kind of picture as well as a shape, so they stay words.
    """
    shape = _IMPLIED_SHAPE.search(view_of(words[-_LONGEST:]).text)
    return SHAPES[shape["shape"].lower()] if shape else None


def again_with_options(text: str) -> dict[str, Any] | None:
    """The options of a message that asks for the same again, changed; None for any other message.

    Such as "again but square", "2 more", "the same in 16:9", and "in 16:9 please" alone.
    """
    if len(text) > 120 or FLAG_LIKE.search(text):
        return None
    plain = view_of(clean_text(text)).text.strip(" .!?,")
    if more := _MORE.fullmatch(plain):
        return {
            name: value for name, value in _values(more).items() if (name, value) != ("count", 1)
        }
    asked = _AGAIN.match(plain)
    rest = plain[asked.end() :] if asked else plain
    if asked is None and (_DESCRIBED.match(plain) or not _MARKED.search(plain)):
        return None
    return _options_alone(rest, again=asked is not None)


def _options_alone(text: str, *, again: bool) -> dict[str, Any] | None:
    """The options where a text is made of them and of words that join them; None otherwise.

    There may be none where the words before it asked for the same `again`.
    """
    found: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        if joined := _JOINERS.match(text, at):
            at = joined.end()
            continue
        matches = [match for pattern in _ALONE if (match := pattern.match(text, at))]
        longest = max(matches, key=lambda match: match.end(), default=None)
        if longest is None or longest.end() == at or text[longest.end() :][:1].isalnum():
            return None
        found.append(longest)
        at = longest.end()
    if not found and not again:
        return None
    return {name: value for match in found for name, value in _values(match).items()}


def _at_an_end(text: str) -> tuple[str, dict[str, Any]] | None:
    """The text without the first option that is found at one of its ends, and the option."""
    view = view_of(text).with_single_spaces()
    for match, words in _candidates(view.text):
        start, end = view.span(*words)
        left = text[start:end].strip(" \t,;")
        if not _DRAWABLE.search(left):
            continue  # nothing would be left to draw
        try:
            return _with_closed_bracket(left, match[0]), _values(match)
        except FlagError:
            if match.groupdict().get("count"):
                raise
            continue  # no ratio that a picture can have: words
    return None


def _with_closed_bracket(words: str, option: str) -> str:
    """The words with the bracket that an option at their end had closed."""
    opened = words.count("(") - words.count(")")
    return f"{words})" if opened == 1 and option.rstrip(" .!").endswith(")") else words


def _candidates(text: str) -> Iterator[tuple[re.Match[str], tuple[int, int]]]:
    """Options at the ends, each with the span of the words that would be left."""
    cut = max(len(text) - _LONGEST, 0)
    for pattern in _AT_THE_END:
        match = pattern.search(text[cut:])
        if match and (match.start() or not cut):
            yield match, (0, cut + match.start())
    skipped = len(text) - len(text.lstrip())
    for pattern in _AT_THE_START:
        if match := pattern.match(text[skipped : skipped + _LONGEST]):
            yield match, (skipped + match.end(), len(text))


def _values(match: re.Match[str]) -> dict[str, Any]:
    """The options that a match names, by the names of their fields. Raises FlagError."""
    groups = {name: value for name, value in match.groupdict().items() if value}
    values: dict[str, Any] = {}
    if written := groups.get("aspect") or groups.get("shape"):
        values["aspect"] = read_flag("aspect", written)
    if counted := groups.get("count") or groups.get("times"):
        values["count"] = read_flag("count", counted)
    for name in ("seed", "model", "strength"):
        if name in groups:
            values[name] = read_flag(name, groups[name])
    return values
