"""Messages that ask for nothing: greetings, thanks, laughter, reactions. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from bots.core.command_words import plain_words, word_set

_GREETINGS = re.compile(
    r"\b(?:hi|hello|hey|heya|hiya|yo|sup|howdy|bonjour|bonsoir|salut|coucou|hola|hallo|wesh|"
    r"good (?:morning|evening|afternoon)|(?:morning|evening|afternoon) (?:all|everyone|everybody|"
    r"guys|folks|bot|atelier))\b"
)
_AROUND_GREETINGS = word_set(
    """
    l hi hello hey heya hiya yo sup howdy bonjour bonsoir salut coucou hola hallo wesh there
    all everyone everybody guys folks bot atelier dear again how are you u doing is it going
    good morning afternoon evening what whats s up nice to meet tout le monde toi vous a tous
    les gens amis ca va comment vas tu allez bien quoi de neuf et la ici
    """
)
_INTERJECTIONS = word_set(
    """
    oups nul nulle accord sure alright deal understood compris entendu seriously serieux
    finally enfin huh wut np congrats felicitations shit merde fuck zut cya ttyl thanks thank
    thx ty tysm tks merci mercii mrc lol lmao lmfao rofl xd mdr ptdr wow woah whoa omg wtf
    damn dang yay woohoo sorry soz oops oopsie whoops apologies desole desolee pardon ok okay
    kk yes yep yeah yup nope nah oui ouais non dac daccord brb gg bye goodbye goodnight gn
    bisous hmm hm meh ugh argh pff bof hein euh bravo nickel whatever test testing ew eww yuck
    ouch beurk berk aw aww awww ooh oooh ah ahh ohh oh yass waouh ouah wouah ouf oulala aie
    hum youpi hourra hihi roh oof yikes sheesh bruh k mouais mouai bah bwah pfiou ayy dope sick
    lit genre
    tkt osef eh idk ily ilysm jpp jsp no nan nop noo nooo yess ok okk putain purée puree bordel
    grave holy lmk fr ngl tbh
    sheesh
    nickel styley bravoo wesh chut tss pfff omfg jfc dude tah
    """
)
_PRAISE = word_set(
    """
    enorme dement cool nice great awesome amazing perfect perfection lovely brilliant gorgeous
    beautiful stunning neat super genial geniale excellent excellente parfait parfaite
    magnifique incroyable sublime excellents superbe sweet adorable wonderful fabulous
    magnifiques splendide impeccable impressive impressionnant style stylee stylax badass epic
    epique slay goated
    chanme canon masterclass cute mignonne mignon
    affreux affreuse hideux horrible terrible awful hideous
    """
)
_AROUND_PRAISE = word_set(
    """
    i im m it its this that these those they them s is was are were so very much really too
    just all both one ones the bot team atelier you u your love loved like liked best job work done
    well good better exactly what wanted needed result results looks picture image pic j je ai
    c est ce cette ces ca cela la le l trop tres bien bon bonne beau belle adore aime mieux
    tout ton travail boulot resultat pas mal plus vraiment tellement exactement que voulais
    """
)
_AROUND_INTERJECTIONS = _AROUND_PRAISE | word_set(
    """
    my me ur we be man dude bro mate guys everyone fun funny cute pretty asked for of on at in
    to and or not no dont didnt don didn t know mean meant wrong channel chat window tab
    mistake typo message person server friend see later tomorrow night day again lot lots
    million bunch ton tons anyway mauvais mauvaise help helping pictures images pics forgot
    forget ignore never mind out turned look made make happy bad re rock spam spamming try
    noise bother bothering trouble wait waiting everyone suis te tu me mon ma mes beaux belles
    kiffe pour tous toute images dessin mille fois beaucoup infiniment d de du avec sur rien
    qui demandais trompe trompee canal salon fil erreur faute serveur excuse excuses moi toi
    vous a demain nuit journee soiree soir bientot laisse tombe drole geres meilleur meilleure
    es derangement spam voulais rigolo mignon mignonne fait faite en au ne n y et mais alors
    bah ben oh aide sucks suck mid kinda kind low key lowkey frero frerot reuf
    crap cow vache fuck fucking hell shit cooked ate bad ugly one ones than expected better
    monde what quoi worse weird strange gars bg tah oof chelou bizarre flippant flippante creepy
    cursed
    """
)
_REMARK = re.compile(
    r"\b(?:(?:(?:that|it|this|they|these|those|he|she|il|elle|ils|elles)(?: s| is| was| are| re|s|"
    r" est| sont)?|looks?|so|too|c est|"
    r"c etait) (?:(?:so|really|"
    r"very|just|pretty|absolutely|kinda|trop|tres|vraiment|super|hyper|un peu) )*(?:hilarious|"
    r"adorable|cute|"
    r"funny|sweet|ugly|awful|terrible|horrible|weird|creepy|bad|disgusting|fantastic|fire|insane|"
    r"crazy|moche|"
    r"chou|choupi|craquant|laid|drole|mignon|mignonne|nul|beau|belle|top|ouf|dingue|fou|flippant|"
    r"bizarre|rigolo|joli|"
    r"jolie)|"
    r"(?:it|this|that|these|they)(?: just| really| kinda| totally)? sucks?|kinda mid|la vache|"
    r"holy (?:crap|shit|cow|moly)|"
    r"pas (?:ouf|top|fou|terrible|folichon|ce que j attendais)|wrong (?:one|picture|image)|"
    r"mauvaise image|"
    r"(?:you|u) (?:cooked|ate|killed it|nailed it)|(?:nailed|killed) it|c est (?:pas )?(?:nul|"
    r"naze|ouf|pourri|"
    r"chaud|abuse|grave bien|grave beau|ca)|"
    r"(?:you re|your|you are|t es|tu es|vous etes) (?:the|le|la|an?|une?) (?:goat|boss|best|king|"
    r"queen|legend|legende|meilleure?|genie|genius|man|crack|roi|reine|star|wizard|hero)|"
    r"(?:alright|ok|okay|fine) then|(?:you )?made (?:my|her|his|our|their) day|(?:my|mon|ma|mes) "
    r"[a-z]+ (?:absolutely |really )?"
    r"(?:loves?|adores?|l adore|adorent|liked?|kiffe) ?(?:it|this|ca|l image)?$|(?:tu m as "
    r")?fait ma journee|can ?t stop laughing|j en peux plus|"
    r"bien joue|(?:no|pas de|aucun) (?:worries|worry|problem|prob|problemes?|soucis?)|pas grave|"
    r"de rien|tkt|"
    r"t inquiete|you re welcome|don t worry|all good|c est bon|ca marche|got it|makes sense|"
    r"i guess|oh no|oh non|"
    r"tant pis|dommage|(?:you|u) suck|t es nul|(?:bad|stupid|dumb|silly) bot|i m bored|je m ennuie|"
    r"(?:this|that|it|ca|c) (?:slaps|rocks|rules|bangs|goes (?:so )?hard|hits different|dechire|"
    r"tue|envoie|claque|defonce|arrache|pete|gere)|"
    r"i see|no way\b(?! (?:home|out|back|down|up|to|through|in))|"
    r"(?:see|cu) (?:ya|you)|is that (?:all|it)|that s (?:all|it)|c est tout|vas y|go ahead|"
    r"yes please|not (?:good|great)|"
    r"pas terrible|so so|no thanks?|non merci|what the (?:hell|heck|fuck)|good (?:evening|luck)|"
    r"bon courage|"
    r"i (?:love|like|adore|hate) (?:it|this|that|them|these|you)|love (?:it|this|that|you)|"
    r"j (?:adore|aime|kiffe)(?: (?:ca|cell?ui(?: ci| la)?|celle(?: ci| la)?|trop|bien|beaucoup|"
    r"l image|cette image|le resultat))?|"
    r"well done|good (?:job|bot|work|one|night)|bonne? (?:nuit|soiree|journee|travail|boulot)|"
    r"my bad|wrong (?:channel|chat|window|server|person)|mauvais (?:canal|salon)|"
    r"(?:trop|tres|super) (?:bien|beau|belle|drole|mignon|mignonne|cool)|pas mal|a demain|"
    r"me suis trompee?|see you|not bad|much better|so (?:good|cute|funny)|"
    r"bien joue|well played|exactly what i|not what i (?:wanted|asked|meant)|"
    r"pas (?:ce )?(?:que )?je (?:voulais|demandais)|c est pas ca|you re the best|you are the best|"
    r"(?:you|u) rock|tu geres|t es le meilleur|t es la meilleure|nice try|nice work)\b"
)
_FOND = re.compile(
    r"\b(?:(?:i )?(?:love|adore|like) (?:the|that|this|his|her|your)|"
    r"j (?:adore|aime|kiffe) (?:le|la|les|l)|that|this|cette?|look at (?:the|that|his|her)|"
    r"regarde (?:le|la|cette?)) [a-z]+$"
)
"""What a laugh or thanks are about: "lol that goose"."""
_PLEASED = word_set("lol lmao lmfao rofl xd mdr ptdr omg wow thanks thank thx ty merci jpp")
_CAT = re.compile(r"\b(?:le|un|mon|ton|son|ce|du|au) chat\b")
"""A cat in French, which is no chat."""
_LAUGHTER = re.compile(
    r"a?(?:h[aeiou]h?){2,}|(?:ah){2,}|(?:ja){2,}|(?:l+o+)+l+|lmf?a+o+|p?t?m?d+r+|x+d+"
)
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_REACTIONS = frozenset(
    "👍👎👏🙏🙌💯👌🤝🫶💪✌🤞🤙🫡🙃😂🤣😭😅😆😁😀😃😄😊🙂😉😍🥰😘😎🤩🥳🤔🤨😐😑😬🙄😏😱😮😯😲😳🥺😢😥😔😞😕🙁"
    "😤😡🤬😴🥱😪🤯😵🤗🤭🫠😇😋😛😜🤪😝🎉✅"
)
_REACTIONS_IN_A_ROW = frozenset("🔥💀❤♥💛💚💙💜🧡🖤🤍🤎💖💕💗💓💘💞😻🤌✨⭐🚀💪") | _REACTIONS
"""What is a reaction where there are two or more; one alone may be what to draw."""
_GAP = re.compile(r"(?<=\S)[\s.,;:!?…)]*\s(?:[-–—]+\s+)?(?!(?:or|ou|of|de|like|comme)\b)(?=\S)")
_FEW_WORDS = 6
_LONGEST_OPENING = 80
"""Characters of a message in which small talk before a request is looked for."""
_MODIFIERS = frozenset("\ufe0f\u200d🏻🏼🏽🏾🏿♀♂")


def is_greeting(text: str) -> bool:
    """Whether a message says hello, and nothing else."""
    words = _words(text)
    return (
        len(words) <= 8
        and bool(_GREETINGS.search(" ".join(words)))
        and _AROUND_GREETINGS.issuperset(words)
    )


def is_small_talk(text: str) -> bool:
    """Whether a message is thanks, laughter, praise, an apology or a reaction, and nothing else."""
    if _is_reaction(text):
        return True
    words = _words(text)
    if not 1 <= len(words) <= 14 or _CAT.search(" ".join(words)):
        return False
    exclaimed = {word for word in words if word in _INTERJECTIONS or _LAUGHTER.fullmatch(word)}
    praised = _PRAISE.intersection(words)
    sentence = " ".join(words)
    pleased = any(word in _PLEASED or _LAUGHTER.fullmatch(word) for word in exclaimed)
    if pleased and len(words) <= _FEW_WORDS:
        sentence = _FOND.sub("", sentence)
    others = set(_REMARK.sub(" ", sentence).split()) - exclaimed - praised
    if exclaimed or _REMARK.search(sentence):
        return others <= _AROUND_INTERJECTIONS
    return bool(praised) and others <= _AROUND_PRAISE


def after_small_talk(text: str) -> Iterator[str]:
    """What follows each opening of a message that is small talk or a greeting, longest first.

    Of "love it! now add a boat", that is "now add a boat".
    """
    openings = [gap for gap in _GAP.finditer(text[:_LONGEST_OPENING]) if gap.end() < len(text)]
    for gap in reversed(openings):
        opening = text[: gap.start()]
        if is_small_talk(opening) or is_greeting(opening):
            yield text[gap.end() :]


def _is_reaction(text: str) -> bool:
    """Whether a message is made of faces and hands alone."""
    signs = [sign for sign in text if not sign.isspace() and sign not in _MODIFIERS]
    if not signs:
        return False
    known = _REACTIONS if len(signs) == 1 else _REACTIONS_IN_A_ROW
    only_punctuation = all(unicodedata.category(sign).startswith("P") for sign in signs)
    return all(sign in known for sign in signs) or (only_punctuation and "?" not in signs)


def _words(text: str) -> list[str]:
    """The words in plain letters; a letter that is held down ("soooo") counts once."""
    plain = plain_words(text, politeness=True)
    plain = re.sub(r"\b(?:a|un|une) (lot|bunch|million|ton|typo|mistake|erreur)\b", r"\1", plain)
    return [_STRETCHED.sub(r"\1", word) for word in re.findall(r"[a-z0-9]+", plain)]
