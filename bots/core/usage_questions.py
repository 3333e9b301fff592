"""Questions about how Atelier is used, and which command answers each. Pure.

Other questions are prompts: "what does a quark look like", "do cats dream?".
"""

from __future__ import annotations

import re

from bots.core.command_words import Word, word_set

PICTURES = word_set(
    """
    picture pictures pic pics image images img imgs photo photos drawing drawings creation
    creations generation generations render renders artwork dessin dessins order orders job
    jobs request requests commande commandes demande demandes prompt prompts
    """
)
PICTURE = rf"(?:{'|'.join(sorted(PICTURES))})"
"""A picture or an order, by any of its names."""
_OBJECT = (
    r"(?:models?|flags?|options?|limits?|resolutions?|(?:max |maximum )?sizes?|seeds?|"
    r"(?:aspect )?ratios?|"
    r"formats?|languages?|file types?|commands?|strength|ar|count|negatives?|prompts?|queue|"
    r"waitlist|"
    r"credits?|quotas?|bot|settings|history|tiers?|edits?|uploads?|orders?|"
    r"modeles?|(?:taille|limite|resolution)s?(?: max(?:imale?)?)?|langues?|fichiers?|commandes?|"
    r"graines?|"
    rf"file(?: d'attente)?|liste d'attente|reglages|historique|formules?|{PICTURE})"
)
_QUESTION_ABOUT_USE = re.compile(
    # English: a question word, an auxiliary, and the member, the bot or one of its objects.
    r"(?:how|why|what|where|when|which|who)(?:'?s| is| are| am| do| does| did| can| could| should|"
    r" would| will|"
    r" come| many| much| long)\b.*\b(?:i|u|you|your|me|this bot|the bot)\b(?! look)|"
    rf"(?:how|why|what|where|when|which)(?:'?s|s| is| are| do| does| did| can| to|"
    rf" no)? (?:\w+ ){{0,2}}?{_OBJECT}\b|"
    r"what does (?:no|n|ar) (?:do|mean)|"
    r"how to (?:use|edit|change|make (?:it|them)|get|set|upload|cancel|undo|upscale|blend|prompt|"
    r"join|write)\b|"
    rf"(?:is|are|was|were|do|does|did) (?:the |my |your |these |those |there |it |i |"
    rf"any )*{_OBJECT}\b|"
    r"(?:do|does|did|are|is|am) (?:i|it|u|you|the bot|this|this bot|there) (?:support|speak|keep|"
    r"store|save|"
    r"remember|understand|accept|work|working|cost|free|down|broken|real|human|online|there|a bot|"
    r"an ai|a robot|dead|alive|"
    r"ok|okay|awake|asleep|serious|kidding|sure|busy|have (?:a|an|any|some|the) \w+(?: \w+)?$|"
    rf"a human|charged|pay|need|have (?:a |an |any |to )?{_OBJECT}|a way to|allowed|blocked|"
    rf"banned)\b|"
    r"(?:why|how|where|when) (?:was|were|did|am|have|has|got) (?:i|my|it|this|"
    r"the) (?:\w+ )?(?:charged|billed|refunded|"
    r"refused|rejected|blocked|banned|cancelled|canceled|deleted|posted)\b|"
    r"(?:any|got any|give me(?: some| an)?|need(?: some| an)?) (?:ideas?|inspiration|suggestions?|"
    r"examples?)$|"
    r"(?:tell me a joke|what time is it|what should i (?:draw|ask|make|try|write)|"
    r"i have a question)$|"
    r"(?:as tu|t'as|tu as|donne moi) (?:une |des |d')(?:idees?|exemples?|suggestions?)$|"
    r"(?:quelle heure est il|raconte une blague|j'ai pas d'idees?|j'ai une question)$|"
    r"can (?:i|we) (?:upload|use|send|share|sell|download|save|reuse|pay|buy|get more|ask|"
    r"(?:edit|change|delete|choose|pick|combine|blend|remove) (?:a|an|the model|two|my|pictures|"
    r"photos))\b|"
    r"can (?:you|u|it|the bot) (?:make|do|write|create|generate|draw|read|edit|"
    r"handle) (?:\w+ )?(?:videos?|gifs?|"
    r"text|texts|words|letters|music|audio|sound|animations?|3d|nsfw|code|vectors?|svgs?|pdfs?|"
    r"photos|images|pictures|files|\d+k|hd|"
    r"transparent backgrounds?|transparency)$|"
    # Français.
    r"(?:comment|pourquoi) (?:est ce qu(?:e |'))?(?:je|j'|tu|t'|vous|on|puis je|peut on|faut|faire|"
    r"fait on|c'est|"
    r"ca)\b|"
    r"comment (?:changer|modifier|utiliser|avoir|mettre|supprimer|annuler|ajouter|envoyer|agrandir|"
    r"obtenir|choisir|melanger|enregistrer|telecharger|enlever|retirer|refaire|relancer|"
    r"recommencer|generer|creer|voir|trouver|payer|acheter|partager|sauvegarder|recuperer|savoir|"
    r"parler|passer|devenir)\b|"
    r"ou (?:est ce qu(?:e |'))?(?:je|on) (?:peux|peut|trouve|vois|voit|met|mets|change|clique|"
    r"regle|choisis|"
    r"choisit)\b|"
    rf"(?:comment|pourquoi|ou|quand|combien|quels?|quelles?|c'est quoi|"
    rf"a quoi serv?e?n?t?)(?: \w+)? "
    rf"(?:les? |la |l'|des? |d'|du |une? |ma |mon |mes |ta |ton |tes |est |sont |de )*{_OBJECT}\b|"
    r"(?:est ce qu(?:e |'))?(?:je|on) (?:peux|peut|pourrait|pourrais) (?:envoyer|utiliser|partager|"
    r"(?:mettre|poster|joindre|uploader|charger) (?:une |des |ma |mes |nos |"
    r"sa )?(?:propres? )?(?:photos?|"
    r"images?|fichiers?)|"
    r"vendre|telecharger|choisir|enregistrer|acheter|reutiliser|"
    r"(?:modifier|changer|supprimer|melanger) (?:une|mes|ma|mon|un|deux|de modele))\b|"
    r"(?:je|on) (?:peux|peut) .*\bcombien\b|"
    r"(?:est ce que )?(?:tu|vous|ca|le bot) (?:parles?|parlez|comprends?|comprenez|connais|"
    r"connaissez|gardes?|gardez|stockes?|acceptes?|"
    r"acceptez|marches?|fonctionnes?|coutes?)\b|"
    r"(?:tu|vous|il|on) (?:peux|peut|pouvez|sais|sait|savez) (?:faire|ecrire|creer|generer|"
    r"lire) (?:des |du |de la |"
    r"de l'|de )?(?:videos?|gifs?|textes?|musique|sons?|animations?|3d|nsfw|code|vectoriel|pdfs?|"
    r"photos|\d+k|hd)$|"
    r"(?:qui es tu|t'es qui|tu es qui)(?: toi)?$|qui t'a (?:fait|cree|code)|"
    r"(?:t'es|tu es|vous etes) (?:une? (?:bot|robot|ia)|la|en ligne|vivant|mort|casse|reveille|"
    r"humain)$"
)
_PLAN = r"(?:plan|tier|subscription|membership|sub|abonnement|forfait|formule|offre|palier|niveau)"
_ON_QUOTA = re.compile(
    r"\b(?:credits?|quotas?|how many|how much|combien(?! de temps)|limit|limite|per day|par jour)\b"
)
_MORE_CREDITS = re.compile(
    r"(?:and |so |et |mais |but )*(?:"
    r"(?:when|how soon|at what time)(?: (?:do|can|will|would|am|could))? (?:i|we)(?: be able to)?"
    r"(?: able to)? (?:get|have|make|draw|do|order|generate|create)(?: some| any)?"
    r"(?: (?:new|more|another)\b)?(?: (?:ones?|pictures?|pics?|images?|credits?|again))*|"
    r"(?:do|have) (?:i|we) (?:still )?(?:have |got )?(?:any|some) (?:free )?(?:ones? |pictures? |"
    r"images? |"
    r"credits? )?(?:left|remaining|more)(?: today| for today)?|"
    r"(?:have|did) i (?:already )?(?:use|used|spend|spent)(?: up)? (?:all|everything|them all|"
    r"all of "
    r"them|all mine)(?: already| up)?|(?:est ce que )?j'ai (?:deja )?tout (?:utilise|depense|"
    r"epuise|mange|crame|grille)(?: deja| c'est ca)*|"
    r"(?:when(?:'s| is)|c'est quand) (?:the |my |la |ma )?(?:next|prochaine?) (?:free |gratuite? )?"
    r"(?:one|picture|credits?|reset|refill|image|gratuite?|recharge|credits?)|"
    r"(?:what(?:'s|s| is)|c'est quoi|quel est) (?:the )?(?:most|max(?:imum)?|limit|le max(?:imum)?|"
    r"la limite) ?(?:i|we|que je|qu'on|on|je)? ?(?:can|could|peux|peut)? ?(?:make|draw|do|get|en "
    r"faire|"
    r"faire)?(?: (?:in |per |a |par |en une? )*(?:day|week|month|jour|semaine|mois))?|"
    r"(?:am i|are we|je suis|on est) (?:limited|limitee?s?) (?:to|a) \w+(?: (?:pictures?|images?|"
    r"pics?))?"
    r"(?: (?:a|per|par) \w+)?|"
    r"(?:so )?(?:what(?:'s|s| is)|how much is) left(?: for me| today| for today)?|"
    r"when(?:'s|s| is) (?:the|my) (?:next )?(?:reset|refill|renewal)|"
    r"(?:i think |hey |why did )?(?:you|it|the bot)(?: just)? (?:charged?|billed?) me (?:twice|"
    r"double|"
    r"two times|for (?:both|that|two|nothing|it))|"
    r"(?:tu m'as|vous m'avez|ca m'a|on m'a) (?:compte|facture|debite|pris) (?:deux fois|double|"
    r"(?:un|deux|trop de) credits?(?: en trop)?)|"
    r"i (?:should|must|ought to) (?:still )?have (?:\w+ )?(?:one|two|three|some|more|\d+)(?: \w+)? "
    r"left|(?:i )?thought i (?:still )?had (?:more(?: than that)?|some|one|two|a few|any)(?: "
    r"left)?|"
    r"(?:il )?(?:devrait|doit) m'en rester (?:une?|deux|trois|encore|\d+)(?: encore)?|"
    r"when (?:do|does|will) (?:they|my (?:pictures|pics|images|credits)|it|the limit) (?:reset|"
    r"refill|renew|recharge|come back|restart)|"
    r"(?:how come|why) (?:i )?(?:can'?t|cannot|can not|am i not allowed to|won'?t it let me)(?: i)?"
    r"(?: make| draw| do| get| have| order| generate| create) (?:any ?)?(?:more|another|anymore|"
    r"new)\b.{0,30}|"
    r"how many (?:free )?(?:ones?|pictures?|pics?|images?)?(?: free)? ?(?:do|can|may) (?:i|we|"
    r"you|people) "
    r"(?:get|have|make|do|draw)(?: (?:for free|free))?(?: (?:a|per|each|every|in a) (?:day|week|"
    r"month|"
    r"hour))?|"
    r"(?:quand|a quelle heure|dans combien de temps)(?: est ce que| c'est que)? ?(?:je|j'|on|j'en|"
    r"j'y|puis je|pourrai je)?(?: pourrai| pourrais| peux| peut| pourra| vais pouvoir)?(?: en|"
    r"l'en)?"
    r" ?(?:aurai|aura|ai|auras?|refaire|faire|avoir|recevoir|dessiner|recupere|recuperer|r'aurai)"
    r"(?: en)? (?:d'autres|de nouvelles?|encore|plus|des (?:images|nouvelles|credits)|de nouveau|"
    r"a nouveau)(?: (?:images?|credits?|photos?))?|"
    r"quand (?:est ce qu)?'?(?:ca|mon quota|mes credits|mes images) ?(?:ca )?(?:se )?"
    r"(?:recharge|renouvelle|remet|revient|reviennent|rechargent|repart)\w*(?: a zero)?|"
    r"pourquoi (?:est ce que )?(?:je|on) (?:ne )?(?:peux|peut) (?:plus|pas) (?:en )?(?:refaire|"
    r"faire|"
    r"avoir|dessiner|generer|creer|commander)(?: (?:d'autres|plus|encore|une autre|d'images?|"
    r"rien))*|"
    r"combien (?:d'images |de photos |de dessins )?(?:gratuites? )?(?:j'ai|on a|je peux|on peut|"
    r"est ce que "
    r"j'ai|j'en ai|j'y ai)(?: le)? ?(?:droit|faire|avoir)?(?: en faire)?(?: par| en un?e?) "
    r"(?:jour|semaine|mois|heure))"
)
"""Questions about when, and how many, more pictures can be made."""
_ON_MY_PLAN = re.compile(
    r"(?:hey |so |and |et |alors |du coup )*(?:"
    rf"(?:what|which)(?:'?s| is)? (?:my |the )?{_PLAN}(?: (?:am i(?: on| in)?|do i have|have i got|"
    r"i'm on|i am on|is mine|did i (?:buy|get|pay for)))?(?: (?:right )?now)?|"
    rf"(?:am i|are we) (?:on |in )?(?:the |a )?(?:free|plus|team|pro)(?: {_PLAN})?(?: or .+)?|"
    rf"(?:c'est quoi|quel(?:le)? est) (?:deja )?(?:mon|ma|notre) {_PLAN}(?: deja| actuel(?:le)?)?|"
    rf"(?:je suis|on est|suis je) (?:sur |a |dans |en )?quel(?:le)? {_PLAN}|"
    rf"(?:j'ai|ai je|on a) quel(?:le)? {_PLAN}|quel(?:le)? {_PLAN}(?: est ce que)? "
    r"(?:j'ai|ai je|on a)|(?:mon|ma|my) (?:abonnement|forfait|formule|subscription|plan|tier))"
)
"""Questions about the member's own tier."""
_ON_QUEUE = re.compile(
    r"\b(?:queue|file(?! (?:format|type|size|name|extension))|how long|so long|wait|"
    r"waiting|ready|done|yet|slow|stuck|taking|longtemps|"
    r"delivered|livree?s?|livraison|"
    r"attends|prete?|"
    r"finie?|encore|bloquee?|lente?|tour|turn|line|combien de temps)\b"
)
_ON_HISTORY = re.compile(
    rf".*\b(?:yesterday|last (?:week|night|month)|this morning|earlier|hier|ce matin|la semaine "
    rf"derniere|"
    rf"lundi|mardi|mercredi|jeudi|vendredi)\b.*\b{PICTURE}\b|"
    rf".*\b{PICTURE} (?:from|of|de|d') ?(?:yesterday|last|this morning|earlier|hier|ce matin|la "
    rf"semaine)\b|"
    r".*\b(?:history|historique)\b|what .*\bi (?:make|made|ask|asked|draw|drew)\b|"
    rf"(?:where|ou|what|which|show) .*\b(?:my|mes) (?:\w+ )?{PICTURE}(?<=s)\b|.*\bj'ai (?:fait|"
    rf"demande)\b"
)
_ON_A_PROMPT = re.compile(
    r"(?:what(?:'s|s| is| was)|c'etait quoi|c'est quoi|quel (?:est|etait)|show me|montre moi) "
    r"(?:the|my|"
    r"your|le|mon|ton) (?:(?:last|exact|full|dernier) )?prompt(?: (?:again|for (?:this|that|"
    r"it)(?: one)?|"
    r"here|exact|deja|de (?:celle|celui) (?:ci|la)|complet))*"
)
_ON_MINE = re.compile(
    r"(?:hey |ok |alors |et |and |so )*(?:"
    r"where(?:'s|s| is| are)(?: the| my)(?: \w+){1,3} (?:i|that i|we) (?:asked for|ordered|wanted|"
    r"requested|sent)|"
    r"(?:(?:il|elle|ils|elles) (?:est|sont) ou|ou (?:est|sont|en est)) (?:le|la|les|mon|ma|mes|l')"
    r"(?: ?\w+){1,3} que j'(?:ai|avais) (?:demande|commande|envoye)[es]*|"
    r"(?:tu m'as|vous m'avez|on m'a|tu nous as) oublie[es]*|(?:did|have) you (?:forget|forgot|"
    r"forgotten) (?:me|about me|mine|my \w+)|"
    r"(?:i )?(?:think|guess|believe) (?:it|you|the bot|mine|it's)(?: has| have| just)? "
    r"(?:crashed|died|"
    r"froze|frozen|broke|broken|stuck|dead)|"
    r"(?:please |can you |could you )?hurry(?: up)?|(?:depeche|grouille) toi|(?:any|des|du) "
    r"(?:news|progress|update|updates|nouvelles|nouveau))(?: yet| already| please| stp)?"
)
"""Words about an order that has not come."""
_ON_MY_DATA = re.compile(
    r"(?:hey |so |and |et |alors |du coup )*(?:"
    r"what (?:do|does|will) (?:you|u|the bot|they|atelier|it|this bot) do with (?:my|our|all my) "
    r"(?:\w+ )?data|"
    r"what(?: kind of)? data (?:do|does) (?:you|u|the bot|atelier|it|this bot) (?:have|keep|store|"
    r"save|collect|hold)(?: (?:about|on|of) (?:me|us))?|"
    r"(?:do|does) (?:you|u|the bot|atelier|it|this bot) (?:sell|share|keep|store|save|collect) "
    r"(?:my|our|any) (?:\w+ )?data|"
    r"(?:where|how)(?: long)? (?:is|are) (?:my|our) data (?:stored|kept|saved)|"
    r"(?:is|are) (?:my|our) data (?:safe|private|shared|sold|stored|kept|deleted)|"
    r"(?:est ce que )?(?:mes|nos) donnees (?:sont|restent)(?: elles)? (?:privees|publiques|"
    r"partagees|vendues|gardees|stockees|effacees|en securite)|"
    r"(?:(?:tu fais|vous faites|il fait|on fait) quoi|qu'est ce que (?:tu fais|vous faites|le bot "
    r"fait)) (?:de|avec) (?:mes|nos|toutes mes) donnees(?: perso\w*)?|"
    r"(?:quelles donnees|quoi comme donnees) (?:tu |vous |est ce que tu |est ce que vous )?"
    r"(?:gardes?|gardez|stockes?|stockez|as|avez)(?: tu| vous)?(?: sur (?:moi|nous))?|"
    r"(?:est ce que )?(?:tu|vous|le bot) (?:vends?|vendez|partages?|partagez|gardes?|gardez|"
    r"stockes?|stockez) (?:mes|nos|des) donnees(?: perso\w*)?|"
    r"ou (?:sont|vont) (?:stockees |gardees )?(?:mes|nos) donnees(?: stockees)?)"
)
"""Questions about what is kept of a member."""
_ON_THE_BOT = re.compile(
    r"(?:hey |hi |so |and |et |alors |du coup )*(?:"
    r"what (?:do|does|will) (?:you|u|the bot|they|atelier|it) do with (?:my|our|the|all my) "
    r"(?:\w+ )?(?:pictures?|pics?|images?|photos?|data|prompts?|words|messages)|"
    r"(?:tu fais|vous faites|il fait|elle fait|on fait) quoi (?:de|avec) (?:mes|nos|les|toutes "
    r"mes) "
    r"(?:\w+ )?(?:images?|photos?|donnees|prompts?|messages?|dessins?)|"
    r"qu'est ce que (?:tu fais|vous faites|vous faite|le bot fait) (?:de|avec) (?:mes|nos|les) \w+|"
    r"(?:what happens|what'?ll happen|what will happen) (?:to|with) (?:my|our|the) \w+(?: "
    r"after(?:wards)?| "
    r"then| later| next)?|(?:are|is|will) (?:my|our) (?:pictures?|pics?|images?|prompts?|photos?|"
    r"data)"
    r"(?: be)? (?:private|public|visible|safe|saved|stored|shared|kept|deleted)(?: \w+){0,3}|"
    r"(?:mes|nos) (?:images|photos|prompts|donnees|dessins) sont (?:elles |ils )?(?:privee?s|"
    r"publi\w+|"
    r"visibles|gardee?s|conservee?s|partagee?s|stockee?s)(?: \w+){0,3}|"
    r"(?:does|do|will) (?:it|cancell?ing|deleting|undoing|editing) cost (?:anything|something|me|a "
    r"credit)(?: \w+)?|(?:am i|are we) doing (?:this|it) (?:right|wrong|ok)|"
    r"(?:je |j'|on )?(?:n')?y arrive (?:pas|plus)(?: du tout)?|"
    r"(?:can you |could you |you |tu peux |peux tu )?(?:show me|explain(?: to me)?|tell me|"
    r"m'expliquer|"
    r"expliquer|explique moi) (?:how |comment )?(?:the|la|le|les) (?:\w+ )?(?:queue|file|credits?|"
    r"quota|waitlist|seed|flags?|options?|commandes?|commands?|attente|modeles?)(?: d'attente)?"
    r"(?: works?| marche| fonctionne)?|"
    r"how (?:big|large|small|wide|detailed) can (?:it|they|a picture|pictures|i go|you go)(?: be)?|"
    r"(?:ca|elle|elles) (?:peut|peuvent) etre (?:grande?s?|large|longue?) comment|"
    r"(?:t'as|tu as|vous avez) une? (?:appli|app|application|site|version mobile)|"
    r"(?:is|are) there (?:an? |any )?(?:premium|paid|pro|plus|better|free|mobile|web) "
    r"(?:versions?|plans?|tiers?|subscriptions?|accounts?|apps?|options?)|"
    r"(?:il )?(?:y a|existe)(?: t il)? (?:une |des |un )(?:version|formule|abonnement|offre|"
    r"appli|compte)s?"
    r"(?: (?:payante?s?|premium|pro|gratuite?s?|mobile))?|"
    r"(?:the |this |your |le |ce )?(?:bot|app|server|thing|serveur|truc|robot) (?:is |est |looks "
    r"|seems |"
    r"a l'air |has been |keeps )?(?:still |toujours |again |encore )?(?:down|broken|dead|offline|"
    r"crashing|crashed|bugged|buggy|hors ligne|mort|casse|en panne|plante|bugge|ne marche plus|"
    r"marche plus|marche pas|ne marche pas|repond plus|repond pas|not working|doesn't work)"
    r"(?: again| now| today| or what| lol| encore| ou quoi| la| mdr)*|"
    r"forget (?:everything|all) (?:you know|about|i (?:said|told you))(?: about me| me)?|"
    r"oublie tout (?:ce que|de moi|sur moi).{0,40})"
)
"""Questions and complaints about the bot, its plans and what it keeps."""
_CLAUSE_END = re.compile(r"[,;:.?!](?:\s|$)")
OF_A_PICTURE = re.compile(
    r"\b(?:poster|infographic|infographie|affiche|illustration|cartoon|comic|bd|logo|meme|"
    r"painting|peinture|style|photo of|picture of|image of|drawing of|diagram|schema|as an?|"
    r"en image)\b"
)


def plainly_asked(plain: str) -> Word | None:
    """The command that answers a question whose every word is known; None for any other text."""
    if _ON_A_PROMPT.fullmatch(plain):
        return Word.HISTORY
    if _ON_MINE.fullmatch(plain):
        return Word.QUEUE
    if _MORE_CREDITS.fullmatch(plain) or _ON_MY_PLAN.fullmatch(plain):
        return Word.QUOTA
    if _ON_MY_DATA.fullmatch(plain):
        return Word.PRIVACY
    return Word.HELP if _ON_THE_BOT.fullmatch(plain) else None


def answering_command(plain: str) -> Word | None:
    """The command that answers a question to Atelier; None for a question that is a prompt.

    Such a question is one clause without the words of a picture.
    """
    clause, *rest = _CLAUSE_END.split(plain, maxsplit=1)
    if len(" ".join(rest).split()) > 2 or len(clause.split()) > 12:
        return None
    if OF_A_PICTURE.search(plain) or not _QUESTION_ABOUT_USE.match(clause):
        return None
    if _ON_QUOTA.search(clause):
        return Word.QUOTA
    if _ON_QUEUE.search(clause):
        return Word.QUEUE
    return Word.HISTORY if _ON_HISTORY.match(clause) else Word.HELP
