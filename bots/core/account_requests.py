"""Sentences that ask for a command in other words: "can you cancel my last one?". Pure.

A sentence asks for a command where it names the command's subject and every word of it is common
in such requests. A single word from outside, as in "the undo button" or "a long queue of people",
makes it a description of a picture.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bots.core.command_words import Word, plain_words, without_vocatives, word_of, word_set
from bots.core.usage_questions import (
    OF_A_PICTURE,
    PICTURE,
    PICTURES,
    answering_command,
    plainly_asked,
)

_MAX_WORDS = 18
_AHEAD = re.compile(
    r"\b(?:people|persons|gens|personnes|monde|users) "
    r"(?=(?:(?:are|waiting|sont|qui attendent) )*(?:ahead|before|in front|devant|avant))"
)
"""Those who wait in line before a member; elsewhere, people are what a picture shows."""
_THING = re.compile(
    r"\b(?:the|an?|his|her|our) (?:show|view|look|press|tap|move|work|number|start)s?\b"
)
"""Verbs of requests that are things here, as in "cancel the show"."""
_FUNCTION_WORDS = word_set(
    """
    i me my u you your we us it this that these those the one ones he she they them is are was
    were be been am do does did done has have had can could will would should may s m ve re ll
    d t im ive dont didnt doesnt isnt wasnt cant wont not no yes ok okay oh oops ops ah um uh
    hey hi hello so just really actually maybe again please want wanna need like get got gotta
    give tell show let know see check now today tonight tomorrow yesterday still yet already
    anymore right here there for of on in at with to by from about and but or because cause
    cuz then if when sorry my bad mistake typo wrong made make making changed change mind
    meant oopsie bot atelier thing stuff all any some else only very too also lol haha omg ugh
    argh j je tu il elle on nous vous ils elles me m te t se s moi toi lui mon ma mes ton ta
    tes votre vos notre nos le la les l de d du des ce c cette ces cet ca cela y en qu que qui
    quoi est es suis sont etait ete etre ai as a avons avez ont avoir avait peux peut pouvez
    pourrais pourrait pourriez puis veux voudrais veut faut doit dois fait faire fais faites
    dire dis voir vois savoir sais ne n pas plus non oui bah ben euh oups zut mince ah oh hop
    donc alors mais et ou si car parce pour par sur dans avec sans a au aux chez vers
    maintenant aujourd hui hier demain deja encore toujours la ici tout toute tous toutes
    desole desolee pardon erreur faute trompe trompee tromper gourre plante change avis bot
    truc chose juste vraiment svp stp merci bonjour salut coucou mdr
    """
)
_REQUESTED = word_set(
    """
    charge chargement normal soit remets prend prendre prends venir regarde regarder donne
    donner refuse refus refusee refusees private prives bug bugge casse question questions
    anyone anybody somebody quelqu happens combientieme rank up don didn doesn isn wasn out
    off down through passed passee passees passer valid validee recue went way moyen fine
    forget about messed mess draw dessine screwed fucked foire foiree accidentally accident
    accidently sent duplicate double twice fois vieilles vieux vieille mine miens miennes
    collection gallery galerie creee creees sauvegarde sauvegardees saved kept keep keeps
    happen anything something nothing quoi soucis souci probleme problem issue error errors
    failed fail fails refused rejected rejetee refusee blocked wanting regret regrette regrets
    useless inutile decide decided idea idee abonnement abort account affiche afficher ages
    ahead aide aider aidez aimais aime allowance ancienne anciennes anglais annule annuler
    annules annulez answer apprendre apprends appuyer arrete arreter arretes arretez arriere
    arrive arrived arrivee arriver arrives ask asked asking attend attendre attends attente
    available avance avant back balance basics before begin beginner besoin best better
    bientot bloque bloquee bon bonne bonus both bring broken bug bugge bugs busy cancel
    capable celle celui changes channel chaque click cliquer combien come comes coming command
    commands comme commence commencer comment comprend comprends compte confused cost costs
    count counter couple cours coute coutent crashed created credit credits cree crees current
    daily day days debutant debute debuter defaire defais demandees demander depense depenses
    depuis dernier derniere dernieres derniers deux devant disappeared disparu disparue
    disparues doing down drew droit dure durer durera earlier ecrire ecris edit edits ended
    ending english envoie envoye envoyer epuise epuises eta everything example examples
    execution exemple exemples explain explique expliquer expliques expliquez faster few file
    find fini finie finis finish finished finit first flag flags fonctionne fonctionner
    fonctionnes forever format formats formule francais free french generated generating
    genere generees go going gone gratuit gratuite gratuits guide hang hanging happened
    happening help helping heure heures historique history hour hours how hows hurry idea
    instant instruction instructions intro jour jours lag laisse laisser laissez lance lancee
    lancement lancer language last latest learn left lent lente liked limit limite limites
    limits line list liste load loaded loading long longer longtemps longue look looking lose
    lost lots manual manuel many marchait marche marches max maximum member membership mention
    message messages mieux min mins minute minutes missing model modele modeles models modif
    modification mois moment month monthly montre montrer montrez more mot mots move much
    never nevermind newbie next nombre noob novice number nvm offline old older online option
    options ordered original oublie oublier oubliez out parler passe past pay payant payante
    payants paye payer per perdu perdue place plan planter position possible post poste posted
    pourquoi precedent precedente precedentes prefer preferais prefere preferee preferred
    prefers premier premiere press pret prete prets previous previously price prix process
    processing prochain prochaine progress publie put quand quel quelle quelles quels queue
    quick quickly quota quotas rame ran rang rapide rapidement ready recent recevoir recharge
    recu recupere recuperer refill refills remain remaining remains remets remettez remettre
    rendering renew renewed renews renouvele renouveles reply repond repondre repondu report
    reset resets respond responding rest restant restantes restants reste restent rester
    restera retour retrouve retrouver revenez revenir revert reverting reviennent reviens
    revient rien rules run running say sec second seconds secs semaine send sent sers sert
    servir since sizes slow solde soon spend spent start started starting status step steps
    stop stuck subscription suivant suivante switch take takes taking tap taper tard temps
    thats theres things three tier time tomber took tot total tour trois trouve trouver turn
    tuto tutorial two type understand undo undoing upgrade usage use used using utilise
    utiliser utilises utilisez va vanished version viens vient view vite wait waited waiting
    week weekly what whats whens where wheres which whos why word words work works write
    writing written sera serait seront auras aurai aurait aura vas allez thing later
    picture cost me front monde faute fautes fini tapee tape mistyped misspelled spelling
    ordered screwed premier vraiment sorti sortie sortir envoyee tranquille dispo tant pis
    laisse grave peine besoin whatever changed mind bad accidentel trompe gourre inverse
    previously originally prior fois mettre mise jour chargee pause tourne marcher charger
    normalement quelques heure fin ligne derriere beaucoup plein autant minuit midnight
    bout coince coincee lien planté plante plantee mouline moulinait galere tarde depeche
    grouille speed accelerer plus vite faster rush stalled loading spinning seems seem
    keeps keep say says said yours ours theirs somewhere anywhere gallery saw seen
    """
)
_COMMON = _FUNCTION_WORDS | _REQUESTED | PICTURES
_PLACING = re.compile(
    r"\b(?:put|add|mettre|mets|ajoute[rz]?|rajoute[rz]?|draw|dessine[rz]?) (?:some|an?|more|des|"
    r"une?|plus|two|three|deux|trois)\b(?! (?:photo|image|picture|pic|file|fichier)s?\b)"
)
"""Beginnings of a change to a picture: "put some people in front"."""
_DESCRIBED = re.compile(
    r"(?:an?|une?|des|some|two|three|deux|trois) [a-z]+ "
    r"(?:that|who|which|whose|of|qui|dont|ou|de|d)\b"
    r"(?! (?:ca|it|them|these|those|plus|aide))"
)
"""Beginnings of what a picture shows: "a place that …"."""
_ASKING = (
    r"how|why|when|where|what|whats|which|is|are|am|was|did|do|does|can|could|will|would|any|may|"
    r"combien|quand|pourquoi|ou|est|quel|quelle|quels|quelles|comment|c|ca|j|peux|peut"
)
_QUESTION = re.compile(
    r"(?:how|why|when|where|what|whats|is|are|am|did|do|does|combien|quand|pourquoi|ou|est ce|quel|"
    r"quelle)\b"
)
_SHOWING = (
    r"show|regarde|regarder|donne|check|see|tell|list|view|find|look|montre|montrer|voir|affiche|"
    r"afficher|liste"
)
_MINE = r"my|mon|ma|mes|all"


_NOT_NEGATED = r"(?<!dont )(?<!don t )(?<!not )(?<!never )(?<!\bt )(?<!\bn )(?<!\bne )(?<!\bne m )"


_LEAD_IN = re.compile(
    r"\A(?:(?:hi|hello|hey|yo|ok|okay|so|and|well|please|sorry|excuse me|quick question|question|"
    r"atelier|bot|"
    r"there|wait|um|uh|hmm|but|no|yes|bonjour|bonsoir|salut|coucou|alors|et|mais|non|oui|euh|dis|"
    r"dites|"
    r"pardon|excuse moi|excusez moi|du coup|au fait|btw|by the way|just wondering|"
    r"j'ai une question|"
    r"petite question)[ ,.!:?]+)+"
)
_EXPLAINED = re.compile(
    r"(?:please |can you |could you |you can |i want to |i need to |peux tu |tu peux |je veux |"
    r"il faut )*"
    r"(?:(?:cancel|annule[rz]?) (?:it|that|this|everything|all|my (?:order|picture|job|last)|"
    r"the last|"
    r"ca|tout|ma commande|mon image|la derniere|stp|svp|please)|"
    r"(?:cancel|annule[rz]?) (?:je (?:vais|dois|pars|rentre)|i (?:m|am|have|got|need) )|"
    r"(?:wait |attends |no |non |oh )+(?:stop|annule|cancel)$|(?:wait |attends |no |non |oh |"
    r"mince )*"
    r"(?:stop|annule|cancel) (?:i |i'm |im |j'ai |je |j'avais |c'est pas |c'est faux|c'est l[ea] "
    r"mauvais|that's |"
    r"thats |"
    r"that is |wrong |it's |its |the wrong |my bad|typo|erreur|faute|mauvais)|"
    r"(?:cancel|annule[rz]?)(?: it| that| ca)? (?:and|then|et|puis) (?:make|draw|do|"
    r"give|send|fais|dessine|mets|donne|montre|refais|envoie)\b|"
    r"(?P<undone>undo(?: it| that)? (?:and|then)\b)|"
    r"(?:laisse[rz]? tomber|never ?mind|nvm|forget it|oublie ca) (?:c est|c etait|j ai|je|that|it|"
    r"i|"
    r"sorry|pardon|desole)\b|"
    r"cancel my \w+(?: \w+)?$|annule[rz]? m(?:on|a|es) \w+(?: \w+)?$|(?P<undo>undo (?:it|that|this|"
    r"the last|my last|everything)|defais ca))\b"
)
"""The beginning of a request after which a member may say anything, such as why."""
_ENDED = re.compile(
    r"[,.;!] ?(?:please |pls |so |donc |alors )?(?:cancel|stop|annule[rz]?|arrete[rz]?|"
    r"(?P<undo>undo))"
    r"(?: (?:it|that|this|one|both|ca|tout|une|un|la|les deux))?$"
)
"""The end of a message that says first why."""


@dataclass(frozen=True, slots=True)
class _Request:
    """A command and what a request for it names."""

    word: Word
    subject: re.Pattern[str]
    asking: re.Pattern[str]  # what it must hold besides, such as "how" or "my"
    strange: int = 0  # how many uncommon words a question may have
    barred: re.Pattern[str] | None = None  # what makes it a request for something else


def _request(
    word: Word, subject: str, asking: str = "", *, strange: int = 0, barred: str = ""
) -> _Request:
    subjects = re.compile(rf"\b(?:{subject})\b")
    asked = re.compile(rf"\b(?:{asking})\b" if asking else "")
    other = re.compile(rf"\b(?:{barred})\b") if barred else None
    return _Request(word, subjects, asked, strange, other)


_REQUESTS = (
    _request(
        Word.CANCEL,
        rf"{_NOT_NEGATED}(?:cancel|abort|stop|annule[rzs]?|arrete[rzs]?|never ?mind|nvm|"
        r"laisse[rz]? tomber|oublie[rzs]?|forget (?:it|that|about it|about that|my|the last))|"
        r"(?:dont|don t|do not) (?:draw|make|generate|do|send) (?:it|that|this|them|the last|my)|"
        r"(?:ne )?(?:dessine|fais|genere) (?:pas )?(?:ca|la|le) pas|pas besoin finalement",
    ),
    _request(
        Word.UNDO,
        r"undo|undoing|revert|defais|defaire|(?:go|take|bring|put|get|step|move|change|switch) "
        r"(?:it |me |that |this |us )?back|back to (?:the|my) (?:\w+ )?(?:one|version|picture|"
        r"image|original|before)|(?:the|my) (?:old|previous|earlier) (?:one|version)|"
        r"(?:the|that) one (?:from )?before|"
        r"put it back|how it was|reviens|revenir|revenez|retour (?:en arriere|a)|en arriere|"
        r"comme (?:avant|c etait|ca etait)|"
        r"remets (?:la|le)$|remets (?:l |la |le )(?:ancienne?|autre|premiere?)|bring (?:it|that|"
        r"the \w+) back|"
        r"(?:version|image|photo|celle|celui) (?:d avant|precedente)|marche arriere",
    ),
    _request(
        Word.QUOTA,
        r"credits?|quotas?|balance|solde|allowance|(?:my|the|ma|la|une|mes) limite?s?|"
        r"(?:how many|combien(?! de temps))(?: \w+){0,6} (?:left|remaining|more|reste|restent|"
        r"encore)|"
        rf"(?:how (?:much|many)|combien)(?: \w+){{0,4}} (?:costs?|coute|coutent|pay|paye|paie)|"
        rf"(?:going to|gonna|will|would) (?:this |it |that )?cost|cost me|"
        rf"(?:prix|price|cost|cout)(?: \w+){{0,3}} {PICTURE}|"
        r"m en reste|combien encore|encore en faire|en faire encore|how many more|"
        rf"{PICTURE}(?: \w+){{0,6}} (?:left|remaining|still|reste|restent|encore|droit|more|"
        r"per day|a day|par jour|today|aujourd)|"
        rf"(?:how many|reste|restent|encore combien|combien)(?! de temps)(?: \w+){{0,4}} {PICTURE}",
        f"{_ASKING}|{_SHOWING}|{_MINE}|me reste",
        strange=2,
        barred="did i (?:make|draw|do)|(?:have )?i made|j ai fait(?: quelles?)?",
    ),
    _request(
        Word.HISTORY,
        rf"history|historique|(?:old|past|previous|earlier|last|recent|derniere|"
        rf"precedente) {PICTURE}|"
        rf"(?:my|all|mes|anciennes|dernieres|precedentes|les) (?:\w+ )?{PICTURE}(?<=s)|"
        r"(?:mes|les) (?:\w+ )?(?:dernieres|anciennes|precedentes)|j (?:ai|avais) (?:fait|"
        r"demande) quoi|"
        r"quoi que j (?:ai|avais)|"
        r"(?:ai je|j ai) (?:fait|demande|cree) (?:hier|avant|la derniere fois)|"
        rf"(?:which|what|quelles?) {PICTURE} (?:did i|have i|i|j ai|ai je|est ce que j ai|que j "
        rf"ai)|"
        r"(?:which|what) (?:ones )?(?:did|have) i (?:make|made|draw|drawn|do|done|create|created)|"
        rf"{PICTURE} (?:i|we|que j) (?:made|asked|ai|did|ordered|generated|created)|"
        r"(?<!not )(?:what|everything|stuff|things?|ones?) (?:i|we) (?:made|did|asked|created|"
        r"generated|"
        r"drew)|ce que j ai (?:fait|demande|cree|genere)",
        f"{_ASKING}|{_SHOWING}|{_MINE}",
        strange=1,
        barred="everyone|everybody|anyone|others|tout le monde|les autres|fail|failed|crash|"
        "crashed|stuck|ready|finished|coming|plante|plantee|bloquee?|"
        "prete?",
    ),
    _request(
        Word.QUEUE,
        r"queue|longer|avant moi|que moi|dispo|mouline|coincee?|stalled|loading|(?:how|so|too|"
        r"that|much) long|my turn|mon tour|(?:my|mon|ma|the|la|le) "
        rf"{PICTURE}|ready|finished|done|stuck|eta|slow|take|taking|takes|in line|next|waiting|"
        r"progress|long|longtemps|pret|prete|finie?|bloquee?|file(?! (?:format|type|size|name))|"
        r"avance|attente|attends|attendre|"
        r"lente?|combien de temps|ca vient|arrive|going on|happening|happened|happens|doing|devant|"
        r"ahead|"
        r"(?:this|that|cette) (?:picture|image|photo)|(?:si|trop|aussi) long|depuis|before me|"
        r"the wait|l attente|place|position|"
        r"rang|rank|combientieme|in front|(?:still|"
        r"toujours) (?:nothing|rien|no)|(?<!there )yet|pas encore|dans la file|nothing yet|"
        r"rien encore|frozen|rame|se passe|"
        r"did it (?:work|go|fail|crash)|go through|passee?|ca a (?:marche|plante|bugge)",
        rf"{_ASKING}|taking|stuck|too long|bloquee?|longtemps|still|toujours|j attends|been waiting"
        r"|my turn|trop long|(?:so|too|very|really) slow|depuis|(?:si|trop|tres) lente?|(?:nothing|"
        r"rien) happens|"
        r"nothing is happening|se passe rien|combientieme|yet|suis dans|pas encore|nothing yet|"
        r"rame|plante|quoi|anything|hows|y a",
        strange=1,
    ),
    _request(
        Word.HELP,
        r"help|aide[rz]?|commands?|commandes|flags?|options|instructions|tutorial|tuto|guide|"
        r"manual|manuel|examples?|exemples?|models?|modeles?|works?|use|using|free|gratuite?s?|"
        r"payante?s?|payer|pay|costs?|coutent|coute|price|prix|utilise[rzs]?|marches?|sert|sers|"
        r"fonctionnes?|what (?:can|do|else)|questions?|working|private|refused?|faire|fais|"
        r"understand|comprends?",
        r"help|aide[rz]?|how|what|whats|which|can|could|do|does|is|are|explain|combien|quels?|"
        r"quelles?|comment|c|explique[rzs]?|quoi|est ce|faut|dont understand|comprends (?:pas|rien)"
        r"|any|(?:marche|fonctionne) (?:pas|plus)|not working|t work|doesnt work|question",
    ),
)  # fmt: skip
_ASKS_HOW = re.compile(
    r"(?:how (?:do|can|to|should|would|does)|can i|could i|may i|where (?:do|can)|what happens|"
    r"is it possible|"
    r"comment|est ce que je peux|je peux|puis je|c est possible|possible)\b"
)
_ASKS_TO_USE = re.compile(
    r"(?:how (?:do|can|would) i|how to|comment (?:je|j|on|faire))\b"
    r"(?!.*\b(?:queue|file|wait|waiting|attente|long|longer|place|position|faster|vite)\b)"
)
"""A question about how something is done, which is none about waiting."""
_ACTIONS = (Word.CANCEL, Word.UNDO)
"""Commands that change something: a question about them is answered, not obeyed."""
_WHERE = re.compile(
    r"(?:where ?s|where (?:is|are)|ou (?:est|sont)|(?:il|elle) est ou|(?:ils|elles) sont ou) "
    r"(?:the|le|la|l|les) ([a-z]+)"
)
_ABOUT_CREDITS = re.compile(
    r"\b(?:(?:my|more|any|out of|mes|plus de) credits|(?:daily|weekly|monthly) limit|"
    r"(?:free|gratuite) limit|limite gratuite|limit(?:e|es|s)? (?:per|a|par|each) (?:day|week|"
    r"month|jour|semaine|mois)|credits? (?:gone|"
    r"left|back|missing))\b"
)


_OF_SPEAKERS = word_set(
    """
    i im ive id me my mine u you your youre we us our it its this that these those them he she they
    is are was
    were s m re ve d ll dont didnt cant wont not please pls thanks lol haha so just really too very
    je j tu t on nous vous me m te moi toi mon ma mes ton ta tes ca c cela ce cette il elle ils
    elles
    est sont etait suis es ai merci svp stp mdr trop tres vraiment pas plus
    """
)


def requested_command(text: str) -> Word | None:
    """The command that a message asks for, as a word alone or in a sentence; None for a prompt."""
    text = without_vocatives(text)
    if word := word_of(text) or plainly_asked(plain_words(text)):
        return word
    return _requested(plain_words(text), marked=text.rstrip().endswith("?"))


def ends_with_scene(text: str) -> bool:
    """Whether a message ends, after a comma, with what a picture shows: "why me, a wet cat".

    Such an end is a few words, mostly uncommon in requests, and none of a speaker or a verb to one.
    """
    plain = plain_words(text)
    _before, comma, end = plain.rpartition(",")
    words = re.findall(r"[a-z]+", end)
    strange = sum(word not in _COMMON for word in words)
    return bool(comma) and 2 <= len(words) <= 7 and strange >= 2 and not _OF_SPEAKERS & set(words)


def _requested(typed: str, *, marked: bool) -> Word | None:
    """The command of a sentence in plain words; `marked` is one with a question mark."""
    plain = _LEAD_IN.sub("", typed, count=1)
    words = re.findall(r"[a-z]+", _AHEAD.sub("", typed))
    if _THING.search(plain) or not 1 < len(words) <= _MAX_WORDS:
        return None
    sentence = " ".join(words)
    opening = " ".join(re.findall(r"[a-z]+", plain))
    asks_how = bool(_ASKS_HOW.match(opening))
    if command := _told_why(typed, opening, brief=len(words) <= 12, asks_how=asks_how):
        return command
    if _PLACING.search(plain) or _DESCRIBED.match(opening) or _is_of_a_missing_thing(opening):
        return None
    is_question = bool(_QUESTION.match(opening))
    if command := _in_common_words(words, sentence, is_question=is_question, marked=marked):
        of_use = command is Word.QUEUE and _ASKS_TO_USE.match(opening)
        return Word.HELP if (asks_how and command in _ACTIONS) or of_use else command
    if _ABOUT_CREDITS.search(sentence) and len(words) <= 10 and not OF_A_PICTURE.search(plain):
        return Word.QUOTA
    return answering_command(plain)


def _is_of_a_missing_thing(opening: str) -> bool:
    """Whether "where is the cat?" asks for something that a picture should show."""
    asked = _WHERE.fullmatch(opening)
    return asked is not None and asked[1] not in _COMMON


def _told_why(typed: str, opening: str, *, brief: bool, asks_how: bool) -> Word | None:
    """The command of a request that says why, before or after it."""
    if brief and (ended := _ENDED.search(typed)):
        return Word.UNDO if ended["undo"] else Word.CANCEL
    if not asks_how and (explained := _EXPLAINED.match(opening)):
        return Word.UNDO if explained["undo"] or explained["undone"] else Word.CANCEL
    return None


def _in_common_words(
    words: Sequence[str], sentence: str, *, is_question: bool, marked: bool
) -> Word | None:
    """The command whose subject a sentence of common words names."""
    strange = sum(word not in _COMMON for word in words)
    for request in _REQUESTS:
        allowed = request.strange if is_question and len(words) >= 4 else 0
        asked = marked or request.asking.search(sentence)
        if request.barred and request.barred.search(sentence):
            continue
        if strange <= allowed and asked and request.subject.search(sentence):
            return request.word
    return None
