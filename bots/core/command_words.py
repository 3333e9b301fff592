"""Words that are commands when they are typed alone, in English and French. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from bots.core.chat_spelling import spelled_out
from bots.core.typed_text import clean_text, view_of


class Word(StrEnum):
    """A command that one word or a short phrase means."""

    HELP = "help"
    QUEUE = "queue"
    QUOTA = "quota"
    HISTORY = "history"
    CANCEL = "cancel"
    UNDO = "undo"
    SETTINGS = "settings"
    PRIVACY = "privacy"
    WAITLIST = "waitlist"
    AGAIN = "again"
    VARY = "vary"
    UPSCALE = "upscale"
    EDIT = "edit"
    BLEND = "blend"
    IMAGINE = "imagine"


_MY = r"(?:(?:my|mon|ma|mes|the|le|la|les|l'|all|your|tes) ?)*"
_SHOW = (
    r"(?:(?:show|see|list|view|check|open|give|montre|montrer|affiche|afficher|voir|donne|liste)"
    r"(?: me| moi| us)? )?"
)
_IT = (
    r"(?: (?:it|that|this|all|everything|all of it|(?:my|the) (?:order|picture|job)|ca|tout|cela|"
    r"(?:this|that|my last|the last) one|mine|cell?(?:e|ui) (?:ci|la)|la mienne|le mien))?"
)
_ORDER = r"(?:picture|image|pic|order|drawing|commande|dessin)s?"
_PATTERNS: Mapping[Word, tuple[str, ...]] = {
    Word.HELP: (
        r"help(?: me)?", r"(?:un peu d'|besoin d'|de l')?aide[rz]?(?: moi)?", "a l'aide",
        "au secours", r"how to(?: use)?",
        rf"{_SHOW}{_MY}(?:commands|commandes|help)",
        r"(?:what|which) (?:are the |are your )?commands(?: are there| do you have| can i use)?",
        r"(?:c'est quoi|quelles sont) (?:les|tes) commandes",
        r"what (?:can|do) (?:you|u|i) do(?: here)?",
        r"how (?:does|do) (?:this|it|you)(?: bot)? works?",
        r"how (?:do|can) (?:i|you|u|we) use (?:this|it|you)(?: bot| thing)?",
        r"how (?:this|it) works",
        (r"(?:do|does|will|are|is) (?:you|u|the bot|it|this bot) (?:store|keep|save|sell|share|use|"
        r"storing|keeping|saving|selling|sharing)(?: all)? (?:my|our|the) (?:pictures|images|"
        r"photos|prompts|uploads)"),
        r"(?:tu|vous) (?:sais|peux|savez|pouvez) faire quoi", r"tu fais quoi(?: toi)?",
        r"(?:qu'est ce que tu|que) (?:sais|peux)(?: tu)? faire",
        r"comment (?:ca|tu|on|cela) (?:marche|marches|fonctionne|fonctionnes|fait)",
        r"what(?:'?s| do| does| is)? (?:this|it|the)(?: bot| thing)?(?: do| for)",
        r"(?:il|ca|tu|ce bot) (?:fais|fait|sers|sert) (?:a )?quoi(?: ce bot| ca| ce truc)?",
        r"a quoi (?:tu|ca|il|ce bot) serts?", r"a quoi (?:tu sers|ca sert)(?: ce bot)?",
        r"what(?: is| are|'?s) (?:this|it|that|you|atelier)(?: bot| thing)?", (r"c'est quoi (?:ca|"
        r"ce truc|ce bot|atelier)"),
        r"what'?s (?:new|up)", "quoi de neuf",
        r"(?:(?:are )?(?:you|anyone|anybody|someone) (?:still )?(?:there|here|awake|alive|on))",
        (r"(?:tu es|t'es|vous etes|y a quelqu'un|il y a quelqu'un)(?: toujours| encore)?(?: la| "
        r"ici)?"),
        r"(?:the |les )?(?:options|flags|usage|infos?|instructions|tuto|tutorial|faq|start)",
        r"comment (?:on|je) (?:t'utilise|l'utilise|m'en sers|s'en sert)",
    ),
    Word.QUEUE: (
        rf"{_SHOW}{_MY}queue", rf"{_SHOW}{_MY}file(?: d'attente)?", "fille d'attente",
        rf"where(?: is|'?s| are) {_MY}{_ORDER}", r"how (?:long|much longer)(?: (?:is|more|left))*",
        r"how long is (?:the|my) (?:queue|line|wait)",
        r"how long (?:do i have to wait|will it take)",
        r"(?:my )?(?:place|position) in (?:the )?(?:line|queue)",
        r"(?:is it|are you) (?:done|ready)(?: yet)?",
        rf"ou (?:est|sont|en est|en sont) {_MY}{_ORDER}",
        r"c'est (?:encore )?long(?: encore)?",
        r"(?:encore )?combien de temps(?: encore| il reste| ca prend| reste t il)*",
        r"(?:il reste|y a) combien de temps", r"ca avance", r"c'est (?:bientot )?(?:pret|fini)",
        r"am i (?:next|soon)", "eta", r"(?:my |ma )?(?:position|status|statut)", "progress",
        rf"is {_MY}{_ORDER} (?:ready|done|next)(?: yet)?",
        rf"{_MY}{_ORDER} est (?:bientot )?(?:pret|finie?)e?",
        r"ma place(?: dans la file)?", r"j'en suis ou",
    ),
    Word.QUOTA: (
        rf"{_SHOW}{_MY}(?:quotas?|credits?)(?: left| remaining| restants?)?",
        r"(?:what(?: is|'?s) )?(?:my|mon) (?:quota|balance|solde)",
        r"how (?:many|much) credits?(?: (?:do i have|have i got|i have|are|left|remaining))*",
        r"(?:il )?me reste combien(?: de credits?)?",
        r"(?:j'ai|il me reste) combien(?: de credits?)?",
        r"combien (?:de credits? )?(?:il )?(?:me )?(?:reste|j'ai|ai je)(?: t il)?(?: de credits?)?",
        (r"(?:combien (?:de credits? )?(?:coute|coutent|vaut)|"
        r"how (?:much|many credits?) (?:does|do|is|are))"
        r" (?:(?:a|an|one|each|une?|les?|la|l'|this|cette) ?)?(?:image|picture|pic)s?(?: cost)?"),
        r"(?:on|je|tu) peu[xt] en (?:faire|avoir) combien(?: (?:par jour|aujourd'hui|en tout))?",
        r"combien de credits?(?: restants?)?", r"(?:il me reste|j'ai encore) des credits?",
    ),
    Word.HISTORY: (
        rf"{_SHOW}{_MY}(?:history|historique)", r"(?:show me|montre moi) (?:everything|tout|all)",
        rf"{_SHOW}(?:my|all my|mes) (?:old |past )?(?:pictures|pics|images)",
        rf"{_SHOW}(?:my|ma|mon|the|la) (?:gallery|galerie|collection|archive|album|portfolio)",
        rf"{_SHOW}(?:my|mes) (?:(?:old|past|previous|recent|other) ones|anciennes|vieilles|autres)",
        r"(?:old|past|previous|last|recent) (?:pictures|pics|images)", (r"(?:anciennes|vieilles|"
        r"dernieres) images"),
    ),
    Word.CANCEL: (
        (r"(?:i want to|i'd like to|i need to|je veux|je voudrais|j'aimerais|il faut) (?:cancel|"
        r"annuler)(?: (?:it|that|this|my (?:last )?(?:order|picture|one)|ca|ma commande|mon image|"
        r"la derniere))?"),
        r"(?:veuillez|merci de) (?:l')?annuler", rf"(?:cancel|stop){_IT}",
        rf"(?:annule[rz]?|arrete[rz]?){_IT}",
        r"(?:annule|arrete) (?:la|le|ma commande|mon image)",
        r"(?:arrete[rz]?|stop) de (?:dessiner|generer|creer|le faire|la faire|faire ca)",
        r"(?:ne )?(?:le|la|les) (?:fais|dessine|genere|lance) pas",
        r"(?:please )?don'?t bother(?: anymore| with (?:it|that))?",
        "abort", r"(?:actually|en fait|finalement|no wait|wait) (?:no|non|nope|don'?t|not)",
        r"non (?:finalement|en fait|laisse)", (r"(?:do not|don'?t)(?: do)?(?: it|"
        r" that)?"), "nevermind", "never mind", "nvm", "forget it", (r"(?:c'est bon |non |bon |ah "
        r")*laisse[rz]?(?: tomber)?(?: ca)?"), "oublie",
    ),
    Word.UNDO: (
        rf"(?:undo|revert){_IT}", r"undo (?:the|my) last (?:change|one|edit)",
        r"(?:go )?back(?: one)?(?: step)?",
        r"(?:retour|reviens|revenir|revenez)(?: en arriere)?", r"(?:defaire|defais)(?: ca)?",
        r"(?:remets?|reviens|retour) (?:la |le |a )?(?:comme avant|l'image (?:d'avant|precedente))",
        r"annule (?:la|le|ma|mon|cette|ce)(?: derni(?:ere|er))? (?:modif\w*|changement|retouche)",
        r"(?:ctrl|cmd|control) ?\+? ?z",
        r"(?:reviens|revenir|recule[rz]?|retour) (?:en arriere )?d'une? (?:etape|cran|version)",
        r"(?:undo ?){2,4}",
    ),
    Word.SETTINGS: (
        rf"(?:(?:where are|ou sont) |{_SHOW}){_MY}(?:settings|reglages|parametres|preferences)",
        (r"(?:(?:can|could) (?:you|i|we) |(?:tu|je|on) peu[xt] |i want to |je veux )?"
        r"(?:change[rz]?|switch) (?:de |(?:the|my|your|la|ma|ta) )?(?:language|langue)"),
    ),
    Word.PRIVACY: (
        "privacy", "confidentialite", "vie privee", rf"{_SHOW}(?:my|mes) (?:data|donnees)",
    ),
    Word.WAITLIST: (r"(?:the )?wait(?:ing)? ?list", r"(?:la )?liste d'attente", "attente"),
    Word.AGAIN: (
        "again", "continue", "keep going",
        "reroll", "re roll", "retry", "regenerate", "refresh", "new one", "next",
        "next one",
        "repeat", r"repete[rz]?(?: ca| la| le)?",
        "regenere", "suivant", "suivante", r"(?:the )?same prompt(?: again)?",
        "meme prompt", "same again", r"l[ea] suivante?",
        r"(?:do|try|make|draw) (?:it |that |this )?again",
        r"(?:give me )?another(?: (?:one|go|round|try|shot|take|spin))?",
        r"encore un (?:tour|coup|essai|jet|lancer)",
        r"(?:one|once) more(?: time)?", "once again", r"(?:redo|repeat)(?: it| that)?",
        r"rerun(?: (?:it|that|this|the|my))?(?: (?:same|last))?(?: prompt)?",
        r"encore(?: une| un)?(?: petite)?(?: fois| autre| derniere)?",
        (r"(?:pourrais je|je pourrais|puis je|est ce que je pourrais|je peux) (?:en )?avoir une "
        r"autre(?: image)?"),
        "une autre", "relance[rz]?", "retente",
        "recommence[rz]?", r"refai[st](?: (?:le|la|ca|pareil|(?:la )?meme(?: chose)?))?",
        "reessaie", "reessaye", "essaie encore",
        (r"(?:re(?:mets?|fais|donne|balance|envoie)|ressors|mets)(?: moi| m')? ?en (?:une|un)(?: "
        r"autre)?"),
        r"(?:re ?)?run (?:it|that|this|the|my)?(?: (?:same|last))?(?: ?prompt)?(?: back| again)",
        r"(?:hit|go) (?:me |it )?again", "encore stp", "same", "pareil", "more",
        r"retente ta chance",
    ),
    Word.VARY: (
        rf"vary{_IT}", r"varie[rz]?(?: la| le| ca| l'image)?",
        (r"(?:(?:make|do|create|give|show|get|fais|faites|donne|cree)(?: me| moi)? )?"
        r"(?:a |an |some |another |une |des |quelques |(?:une )?autres? )?(?:variations?|variants?|"
        r"variantes?)"
        r"(?: (?:of|de) (?:it|this|that|this one|ca|cette image|l'image))?"),
    ),
    Word.UPSCALE: (
        rf"(?:(?:can|could|would) you )?upscale{_IT}(?: by)?(?: x ?2| 2 ?x?)?",
        (r"(?:tu peux |peux tu |tu pourrais )?(?:l'|la |le )?agrandi(?:r|s|ssez)(?: la| le| ca| "
        r"l'image| "
        r"cette image)?"),
        r"(?:make it |in )?(?:hd|high(?:er)? res(?:olution)?)", (r"en (?:hd|haute (?:resolution|"
        r"definition))"),
    ),
    Word.EDIT: (
        rf"edit{_IT}", "modifier",
        r"(?:je veux |je voudrais )?modifier (?:l'image|mon image|une image)",
    ),
    Word.BLEND: ("blend", "melanger", "fondre"),
    Word.IMAGINE: ("imagine", "imaginer", "/imagine"),
}  # fmt: skip
_LEAD_IN = re.compile(
    r"(?:(?:ok|okay|no|non|oui|yes|hey|hi|hello|salut|bonjour|bonsoir|coucou|actually|en fait|"
    r"finalement|nvm|oh|oops|wait|attends|euh|hmm|et|and|so|alors|well|cool|ah|bon|mince|desole|"
    r"sorry|just|juste|lol|haha+|hehe|mdr|ptdr|nice|great|super|omg|thx|vas y|allez|yo|bro) )+"
)
_VOCATIVES = re.compile(
    r"(?: (?:bro|bruh|brother|dude|man|mate|buddy|bud|pal|fam|dear|sir|madam|boss|chief|bot|"
    r"atelier|"
    r"lol|lmao|haha+|hehe|rn|tho|though|fr|yo|asap|quick|thank you|then|now|"
    r"frr|frero|frerot|frere|mec|gros|poto|chef|monsieur|madame|cher|wesh|wsh|mdr|ptdr|vite|alors|"
    r"quoi|dsl|desolee?|sorry))+$"
)
"""How members address the bot after a command, and what they add in a chat."""
_TYPED_VOCATIVES = re.compile(
    r"(?<![\s,])(?:[\s,]+(?:bro|bruh|dude|man|mate|buddy|fam|dear|lol|lmao|haha+|frr|fr[eé]ro|fr[eé]rot|"
    r"mec|gros|"
    r"poto|wesh|wsh|mdr|ptdr|rn))+(?=[\s?!.…]*\Z)",
    re.IGNORECASE,
)
_COMMANDS = {word: re.compile("|".join(patterns)) for word, patterns in _PATTERNS.items()}
_SINGLE_WORDS: Mapping[str, Word] = {
    "help": Word.HELP, "aide": Word.HELP, "queue": Word.QUEUE, "quota": Word.QUOTA,
    "credits": Word.QUOTA, "history": Word.HISTORY, "historique": Word.HISTORY,
    "cancel": Word.CANCEL, "annule": Word.CANCEL, "annuler": Word.CANCEL, "arrete": Word.CANCEL,
    "undo": Word.UNDO, "retour": Word.UNDO, "settings": Word.SETTINGS, "reglages": Word.SETTINGS,
    "privacy": Word.PRIVACY, "waitlist": Word.WAITLIST, "again": Word.AGAIN,
    "upscale": Word.UPSCALE, "encore": Word.AGAIN,
}  # fmt: skip
"""Words that are recognized alone with two letters exchanged, or one doubled wrongly or missing."""
_REPEATED = re.compile(r"^([a-z' ]{3,30})(?: \1)+$")
"""A phrase said more than once: "again! again!"."""
_DOUBLED = re.compile(r"(.)\1+")
_SIGNS = re.compile(r"[,.!?;:…]+(?=\s)|(?<=\s)[,.!?;:…]+")
POLITE = r"(?:please|pls|plz|thanks|thank you|thx|svp|stp|merci|s['’]il (?:te|vous) pla[iî]t)"
"""A pattern of the words that add politeness, and nothing else, to what is asked."""

_POLITE_WORDS = re.compile(rf"\b{POLITE}\b")


def word_of(text: str) -> Word | None:
    """The command that a text is as a whole; None for a prompt.

    Case, politeness, a lead-in such as "ok" and a slip of the fingers don't count.
    """
    words = _REPEATED.sub(r"\1", _spaced(plain_words(text)))
    bare = _VOCATIVES.sub("", _LEAD_IN.sub("", words, count=1))
    return _command(words) or _command(bare) or _misspelt(words)


def without_vocatives(text: str) -> str:
    """A message without "bro", "mdr" and the like at its end."""
    return _TYPED_VOCATIVES.sub("", text)


def _command(words: str) -> Word | None:
    return next((word for word, form in _COMMANDS.items() if form.fullmatch(words)), None)


def _misspelt(typed: str) -> Word | None:
    """The command of a single word with two letters exchanged, doubled wrongly, or one missing."""
    if " " in typed or not 4 <= len(typed) <= 12:
        return None
    swapped = {
        typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :] for at in range(len(typed) - 1)
    }
    for name, word in _SINGLE_WORDS.items():
        doubled = (len(name) >= 6 or len(typed) > len(name)) and _DOUBLED.sub(
            r"\1", name
        ) == _DOUBLED.sub(r"\1", typed)
        cut_short = len(name) >= 6 and typed == name[:-1]
        shortened = len(name) >= 5 and (typed[0], typed[-1]) == (name[0], name[-1])
        lacking = shortened and typed in {name[:at] + name[at + 1 :] for at in range(len(name))}
        if name in swapped or doubled or lacking or cut_short:
            return word
    return None


def _spaced(words: str) -> str:
    """The words without signs between them."""
    return " ".join(_SIGNS.sub(" ", words).split())


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


@lru_cache(maxsize=32)  # one message is asked about many times
def plain_words(text: str, *, politeness: bool = False) -> str:
    """The text in lower case, without accents, and without signs and emoji at its ends.

    Short spellings of chats are written in full. Words such as "please" and "thanks" are left out,
    unless `politeness` is wanted.
    """
    if len(text) > 200:
        return ""
    if text.strip() and not text.strip(" ?!"):
        return "help" if "?" in text else ""
    folded = unicodedata.normalize("NFKD", view_of(clean_text(text)).text).casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c)).replace("’", "'")
    full = spelled_out(letters)
    return _inner(full if politeness else _POLITE_WORDS.sub(" ", full))


def _inner(text: str) -> str:
    """The text from its first letter or digit to its last, with single spaces."""
    places = [index for index, character in enumerate(text) if character.isalnum()]
    return " ".join(text[places[0] : places[-1] + 1].replace("-", " ").split()) if places else ""
