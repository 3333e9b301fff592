## Durées
duration-seconds = { $seconds } s
duration-minutes = { $minutes } min
duration-hours = { $minutes ->
    [0] { $hours } h
   *[other] { $hours } h { $minutes } min
 }
duration-days = { $days ->
    [one] 1 jour
   *[other] { $days } jours
 }

## Le message d'une commande
state-queued = { $position ->
    [1] Prochaine image
   *[other] { ORDINAL($position) } dans la file
 }
state-queued-estimate = { $position ->
    [1] Prochaine image, dans { $wait } environ
   *[other] { ORDINAL($position) } dans la file, { $wait } environ
 }
state-queued-range = { $position ->
    [1] Prochaine image, dans { $wait } à { $longest } environ
   *[other] { ORDINAL($position) } dans la file, { $wait } à { $longest } environ
 }
state-queued-unknown = Dans la file
state-queued-no-worker = Dans la file. Aucun atelier n’est en marche pour l’instant ; votre image est gardée et sera faite dès que possible.
degraded = { $count ->
    [1] Il y a foule en ce moment : cette image est faite plus petite et plus vite que d’habitude.
   *[other] Il y a foule en ce moment : vous recevez une image au lieu de { $count }, plus petite et plus vite que d’habitude.
 }
state-running = En train de dessiner
state-running-steps = En train de dessiner, étape { $step } sur { $steps }
state-loading = Préparation du modèle
state-finishing = Finitions
state-delivering = Prête, elle arrive
state-done = { $count ->
    [one] Terminé en { $took }
   *[other] { $count } images, terminées en { $took }
 }
state-done-untimed = Terminé
state-deleted = Ces images ont été supprimées.
state-cancelled = Annulé. Rien n’a été compté.
invitation-stands = Votre invitation tient toujours : vous pouvez redemander.
state-degraded = La demande est forte : cette image est faite en { $steps } étapes, en { $width } × { $height }.
title-edit = Retouche : { $prompt }
title-vary = Variation de : { $prompt }
title-upscale = Agrandie : { $prompt }
title-blend = Mélange : { $prompt }
title-untitled = une image
alt-picture = Image faite par une IA : { $prompt }
credits-used = { $credits ->
    [one] { $credits } crédit
   *[other] { $credits } crédits
 }

## Boutons
button-cancel = Annuler
button-vary = Varier
button-vary-n = Varier { $index }
button-upscale = Agrandir
button-upscale-n = Agrandir { $index }
button-edit = Retoucher
button-edit-n = Retoucher { $index }
button-reroll = Encore
button-details = Détails
button-delete = Supprimer
button-report = Signaler
button-undo = Revenir
button-join-waitlist = Rejoindre la liste d’attente
button-confirm-forget = Tout supprimer

## Ce qui est écrit n'est pas compris
prompt-empty = Dites ce que l’image doit montrer, par exemple : une maison rouge au bord de la mer.
prompt-too-long = Le texte a { $length } caractères ; restez sous { $limit }, s’il vous plaît.
unknown-flag = L’option { $flag } n’existe pas. Celles-ci marchent : { $known }.
flag-needs-value = { $flag } attend une valeur derrière elle.
bad-aspect = « { $value } » n’est pas un format. Choisissez parmi { $known }.
bad-count = « { $value } » n’est pas un nombre d’images. Choisissez de 1 à { $limit }.
bad-seed = « { $value } » n’est pas une graine. Donnez un nombre entier de 0 à { $limit }, ou n’en donnez pas.
bad-strength = « { $value } » n’est pas une force. Donnez un nombre de 0 (la même image) à 1 (une nouvelle).
bad-factor = Une image peut être agrandie 2 ou 4 fois.
bad-language = Je ne parle pas « { $value } ». Choisissez parmi { $known }.
bad-setting = « { $value } » n’est pas un réglage. Écrivez nom=valeur avec l’un de : { $known }.
bad-tier = « { $value } » n’est pas un abonnement. Choisissez parmi { $known }.
bad-state = « { $value } » n’est pas un état des portes. Choisissez parmi { $known }.
bad-credits = « { $value } » n’est pas un nombre de crédits.
unknown-command = « { $word } » n’existe pas ici. Essayez l’un de : { $known }.
needs-picture = Ajoutez une image, ou répondez à l’une des miennes.
needs-role = Nommez un rôle et un abonnement, par exemple : studio role @Mécènes plus.
needs-member = Nommez un membre.
blend-needs-more = Il faut deux à quatre images pour un mélange.

## Fichiers
not-a-picture = Ce fichier n’est pas une image que je sais lire. Envoyez un PNG, un JPEG ou un WebP.
picture-too-large = Cette image est trop grande. Envoyez-en une de moins de { $megabytes } Mo et { $megapixels } mégapixels, dont aucun côté ne dépasse { NUMBER($side) } pixels.
file-not-allowed = Je ne lis que les fichiers envoyés ici, pas les liens vers d’autres endroits.
file-gone = Ce fichier n’est plus là. Envoyez-le encore une fois, s’il vous plaît.

## Refus ; rien n'est compté
refusal-title = Pas maintenant
blocked = Les administrateurs de ce serveur vous ont retiré le droit de faire des images.
doors-closed = L’atelier est fermé pour { $tier } en ce moment. Revenez plus tard, s’il vous plaît.
doors-waitlist = Les membres { $tier } entrent par une liste d’attente en ce moment. Rejoignez-la et vous serez prévenu quand ce sera votre tour.
doors-elsewhere = Les portes des autres serveurs se règlent sur la machine de l’atelier, ou avec `atelier doors`.
sign-ups-suspended = De nouveaux membres { $tier } ne peuvent pas entrer en ce moment. Rejoignez la liste d’attente et vous serez prévenu quand ce sera votre tour.
feature-waitlist = { $feature ->
    [edit] La retouche s’ouvre
    [vary] Les variations s’ouvrent
    [upscale] L’agrandissement s’ouvre
    [blend] Le mélange s’ouvre
    [private] Les résultats privés s’ouvrent
   *[other] Ceci s’ouvre
 } par une liste d’attente en ce moment. Rejoignez-la et vous serez prévenu quand ce sera votre tour.
feature-closed = { $feature ->
    [edit] La retouche est fermée
    [vary] Les variations sont fermées
    [upscale] L’agrandissement est fermé
    [blend] Le mélange est fermé
    [private] Les résultats privés sont fermés
   *[other] Cela est fermé
 } en ce moment. Revenez plus tard.
feature-not-in-tier = { $feature ->
    [edit] La retouche vient
    [vary] Les variations viennent
    [upscale] L’agrandissement vient
    [blend] Le mélange vient
    [private] Les résultats privés viennent
   *[other] Cela vient
 } avec { $needs } ; vous êtes { $tier }.
feature-not-yet = { $feature ->
    [edit] La retouche ouvrira
    [vary] Les variations ouvriront
    [upscale] L’agrandissement ouvrira
    [blend] Le mélange ouvrira
    [private] Les résultats privés ouvriront
   *[other] Cela ouvrira
 } pour { $tier } le { $opens }.
too-many-pictures = { $limit ->
    [one] Votre abonnement fait une image à la fois ; vous en demandez { $count }.
   *[other] Votre abonnement fait jusqu’à { $limit } images à la fois ; vous en demandez { $count }.
 }
too-large = Cela ferait { $megapixels } mégapixels ; votre limite ici est de { $limit }.
waiting-full = { $limit ->
    [one] Une de vos images attend déjà. Elle sera faite avant que vous puissiez demander la suivante.
   *[other] { $limit } de vos images attendent déjà. L’une d’elles doit être faite avant la suivante.
 }
quota-too-small = Il faut { $cost } crédits à la fois, plus que votre quota n’en aura jamais. Demandez moins d’images, ou de plus petites.
quota-spent = { $left ->
    [0] Votre quota est épuisé ; le prochain crédit revient dans { $returns }.
   *[other] Il faut { $cost } { $cost ->
    [one] crédit
   *[other] crédits
 } et il vous en reste { $left } ; le prochain revient dans { $returns }.
 }
quota-too-small = Il faut { $cost } crédits, plus que tout votre quota de { $limit }. Demandez moins d’images, ou de plus petites.
pool-spent = Les crédits partagés de votre équipe sont épuisés ; les prochains reviennent dans { $returns }.
forbidden-words = Ce serveur n’accepte pas « { $word } » dans les textes.
unsafe = Ce serveur n’accepte pas ce genre d’images.
unknown-model = Le modèle « { $model } » n’existe pas ici. Choisissez parmi : { $models }.
unknown-picture = Je n’ai plus cette image.
unsupported = Le modèle { $model } ne sait pas faire cela.
channel-not-allowed = On ne fait pas d’images dans ce salon. Essayez { $channels }.
not-yours = Seule la personne qui l’a demandé, ou un modérateur, peut le faire.
no-such-job = Je ne connais pas la commande de cette image.
nothing-to-cancel = Vous n’avez rien dans la file.
already-ended = Celle-là est déjà terminée.
cancelled = Annulé. Rien n’a été compté.
cancelling = J’arrête. Rien ne sera compté.
deleted = Supprimé.
reported = Merci. Les administrateurs de ce serveur verront votre signalement.
only-administrators = Seuls les administrateurs de ce serveur peuvent le faire.
unavailable = L’atelier ne répond pas en ce moment. Rien n’a été compté ; réessayez dans une minute, s’il vous plaît.
private-message-only = Les résultats privés ne sont pas possibles ici.
no-parent = Cette image ne vient pas d’une autre.

## Pourquoi une commande a échoué ; rien n'est compté
failed-prefix = Cela n’a pas marché. { $why } Rien n’a été compté.
imaging-failed = Quelque chose s’est mal passé pendant le dessin.
model-unavailable = Le modèle n’a pas pu être chargé ; l’exploitant sait pourquoi.
out-of-memory = L’image était trop grande pour la carte graphique. Essayez-en une plus petite.
render-timed-out = C’était trop long.
engine-stopped = L’atelier s’est arrêté.
too-many-attempts = Plusieurs ateliers n’y sont pas arrivés.
worker-lost = L’atelier qui la faisait a disparu, plus d’une fois.
pictures-lost = Les images terminées n’ont pas été retrouvées.
delivery-failed = Elle n’a pas pu être publiée après de nombreux essais.
lost-right = Votre rôle a changé pendant l’attente.
message-gone = Le message auquel elle appartenait n’est plus là.
channel-gone = Le salon auquel elle appartenait n’est plus là.
no-permission = Je n’ai plus le droit d’y écrire.
token-expired = Il était trop tard pour vous la montrer à vous seul, et vos messages privés sont fermés.
shown-directly = Discord montre une réponse privée pendant 15 minutes ; celle-ci vous arrive donc directement. Pour continuer avec elle, utilisez /history sur le serveur.
undeliverable = Elle n’a pas pu être publiée.

## File, quota, historique
queue-empty = Vous n’avez rien dans la file.
queue-title = Vos images dans la file
queue-row = { $short } : { $prompt }
quota-title = Votre quota
quota-tier = Abonnement
quota-left = Reste
quota-left-value = { $left } crédits sur { $limit }
quota-held = Réservé
quota-held-value = { $held } pour des images en cours
quota-window = Compté sur
quota-returns = Revient
quota-returns-value = { $credits } dans { $wait }
quota-returns-none = tout est là
quota-pool = Partagé par l’équipe
quota-pool-value = { $left } crédits
quota-relaxed = Au-delà, les images se font toujours, mais moins vite.
quota-summary = Il vous reste { $left } crédits sur { $limit }.
history-title = Vos images
history-empty = Vous n’avez pas encore fait d’image. Essayez : imagine une maison rouge au bord de la mer.
details-title = Détails
details-prompt = Texte
details-negative = Sans
details-seed = Graine
details-model = Modèle
details-size = Taille
details-steps = Étapes
details-strength = Force
details-took = Durée
details-credits = Crédits
details-short = Commande
details-default = celle du modèle
undo-shown = Retour à l’image d’avant.

## Réglages
settings-title = Vos réglages
settings-none = celui de l’atelier
settings-aspect = Format
settings-count = Nombre
settings-model = Modèle
settings-language = Langue
settings-saved = Enregistré.

## Vie privée
privacy-export = Voici tout ce que je garde de vous : vos textes, réglages, historique et images.
privacy-confirm = Cela supprime pour toujours toutes vos images, vos textes et votre historique ici. Ce que vous avez utilisé de votre quota reste compté. Êtes-vous sûr ?
privacy-deleted = { $count ->
    [0] Vos textes et votre historique sont supprimés.
    [one] Une image, vos textes et votre historique sont supprimés.
   *[other] { $count } images, vos textes et votre historique sont supprimés.
 }

## Liste d'attente
waitlist-joined = Vous êtes { ORDINAL($position) } sur la liste d’attente. Vous serez prévenu quand ce sera votre tour ; il n’y a rien d’autre à faire.
waitlist-status = Vous êtes { ORDINAL($position) } sur la liste d’attente.
waitlist-invited = C’est votre tour : demandez une image d’ici { $left }, elle sera acceptée.
waitlist-not-on = Vous n’êtes pas sur la liste d’attente.
waitlist-not-needed = Les portes vous sont ouvertes ; inutile d’attendre.
waitlist-left = Vous avez quitté la liste d’attente.
waitlist-your-turn = C’est votre tour ! Demandez une image d’ici { $left }, elle sera acceptée.

## Aide
help-title = Ce que vous pouvez demander
help-intro = Dites ce que vous voulez voir, en français ou en anglais. Je vous dis votre place dans la file, je dessine, et je publie l’image ici.
help-imagine = Faire une image
help-imagine-value = imagine une petite maison rouge à gauche d’un arbre vert, la nuit
help-flags = Options
help-flags-value = --ar 16:9 · --count 2 · --seed 7 · --no arbres · --strength 0.5
help-edit = Changer une image
help-edit-value = répondez-lui et dites quoi changer : mets la maison en bleu
help-more = D’autres comme elle
help-more-value = les boutons sous une image : varier, agrandir, encore
help-account = À vous
help-account-value = queue · cancel · quota · history · settings · privacy · waitlist

## Administration
studio-role-set = Le rôle { $role } donne maintenant { $tier }.
studio-role-removed = Le rôle { $role } ne donne plus d’abonnement.
studio-roles-title = Rôles et abonnements
studio-roles-empty = Aucun rôle ne donne encore d’abonnement. Tout le monde est { $tier }.
studio-doors-title = Portes
studio-doors-row = { $now ->
    [open] ouvertes
    [waitlist] liste d’attente
   *[closed] fermées
 } (réglage : { $set })
studio-doors-row-wait = { $now ->
    [open] ouvertes
    [waitlist] liste d’attente
   *[closed] fermées
 } (réglage : { $set }), attente prévue { $wait }
studio-doors-name = { $door ->
    [imagine] création d’images
    [edit] retouche
    [vary] variations
    [upscale] agrandissement
    [blend] mélange
    [private] résultats privés
    [sign-ups] nouveaux membres
   *[other] tout
 }
studio-doors-apart = { $set ->
    [open] ouvertes
    [waitlist] liste d’attente
    [auto] automatiques
   *[closed] fermées
 }
studio-doors-set = Les portes de { $tier } sont réglées sur { $state }.
studio-capacity-title = L’atelier en ce moment
studio-capacity-tier = { $queued } dans la file, { $running } en cours
studio-capacity-tier-wait = { $queued } dans la file, { $running } en cours ; attente { $p50 } environ, { $p90 } pour le dixième le plus lent
studio-capacity-workers = Ateliers
studio-capacity-worker = { $name } sur { $device } : { $running } places occupées sur { $slots }
studio-capacity-no-workers = aucun n’est en marche
studio-capacity-waitlist = Liste d’attente
studio-capacity-waitlist-value = { $count ->
    [one] { $count } membre
   *[other] { $count } membres
 }
studio-capacity-calibration = Servis avant la plus longue attente annoncée
studio-blocked = { $member } n’a plus le droit de faire des images.
studio-unblocked = { $member } peut de nouveau faire des images.
studio-words-title = Mots interdits
studio-words-none = Aucun mot n’est interdit.
studio-words-saved = { $count ->
    [0] Plus aucun mot n’est interdit.
    [one] Un mot est interdit.
   *[other] { $count } mots sont interdits.
 }
studio-words-trial-hit = Ce serait refusé à cause de « { $word } ».
studio-words-trial-pass = Ce serait accepté.
studio-settings-title = Réglages de ce serveur
studio-settings-saved = Enregistré.
studio-settings-default = par défaut
studio-audit-title = Ce que les administrateurs ont fait
studio-audit-empty = Rien encore.
studio-granted = { $member } a reçu { $credits } crédits.
studio-chart-queue = En attente
studio-chart-waits = Attente habituelle, en minutes
studio-chart-workers = { $count ->
    [0] aucune machine
    [one] 1 machine
   *[other] { $count } machines
 }

## Noms
tier-free = Free
tier-plus = Plus
tier-team = Team
tier-pro = Pro

## Discord
discord-form-edit = Modifier l’image
discord-form-instruction = Que faut-il changer ?
discord-form-mask = Masque (facultatif)
discord-form-mask-about = Une image de même forme : en blanc, ce qui peut changer.
discord-form-reroll = Encore une fois
discord-form-prompt = Description
discord-form-report = Signaler l’image
discord-form-words = Qu’est-ce qui ne va pas ?
discord-command-imagine = Créer des images à partir d’une description
discord-command-edit = Modifier une image selon une consigne
discord-command-vary = Créer des images semblables à celle-ci
discord-command-upscale = Agrandir une image
discord-command-blend = Fondre deux à quatre images en une
discord-command-queue = Vos images en attente, et pour combien de temps
discord-command-cancel = Arrêter l’une de vos images
discord-command-quota = Ce qu’il reste de votre quota, et quand il revient
discord-command-history = Vos images, les plus récentes d’abord
discord-command-settings = Vos propres réglages
discord-command-help = Ce que vous pouvez demander, avec des exemples
discord-command-privacy = Vos données ici
discord-command-privacy-export = Recevoir tout ce qui est gardé sur vous dans un fichier
discord-command-privacy-delete = Supprimer vos images, vos descriptions et votre historique
discord-command-waitlist = Attendre l’ouverture des portes
discord-command-waitlist-join = Rejoindre la liste d’attente
discord-command-waitlist-leave = Quitter la liste d’attente
discord-command-waitlist-status = Votre place sur la liste d’attente
discord-command-studio = Diriger l’atelier de ce serveur
discord-command-studio-role = Un rôle donne un niveau
discord-command-studio-roles = Quel rôle donne quel niveau
discord-command-studio-doors = Ouvrir ou fermer les portes d’un niveau
discord-command-studio-capacity = File, attentes et machines en ce moment
discord-command-studio-block = Bloquer un membre, ou le laisser revenir
discord-command-studio-grant = Donner des crédits à un membre, ou en reprendre
discord-command-studio-words = Mots que les descriptions ne peuvent contenir
discord-command-studio-settings = Réglages de ce serveur
discord-command-studio-audit = Ce que les administrateurs ont fait
discord-option-prompt = Ce que l’image doit montrer
discord-option-aspect = Forme : largeur sur hauteur
discord-option-count = Combien d’images
discord-option-model = Le modèle qui dessine
discord-option-seed = La même graine donne la même image
discord-option-negative = Ce qui ne doit pas s’y trouver
discord-option-reference = Une image dont rester proche
discord-option-strength = 0 : la même image, 1 : une nouvelle
discord-option-private = Pour vos yeux seulement
discord-option-image = L’image
discord-option-instruction = Ce qui doit changer
discord-option-mask = En blanc, ce qui peut changer
discord-option-factor = Combien de fois plus grande
discord-option-image1 = La première image
discord-option-image2 = La deuxième image
discord-option-image3 = La troisième image
discord-option-image4 = La quatrième image
discord-option-job = Laquelle ; la plus récente si rien n’est dit
discord-option-member = Qui
discord-option-role = Le rôle
discord-option-tier = Le niveau
discord-option-state = Ouvert, liste d’attente, fermé, ou auto : selon la charge
discord-option-blocked = Oui bloque, non laisse revenir
discord-option-credits = Combien ; un nombre négatif en reprend
discord-option-why = Pourquoi, pour le journal
discord-option-words = Les mots, séparés par des espaces ; un tiret pour aucun
discord-option-trial = Une description sur laquelle essayer les mots
discord-option-language = Langue
discord-option-default_tier = Niveau des membres sans rôle payant
discord-option-channel = Un salon où l’on crée des images ; nommez-le encore pour le retirer de la liste
discord-option-nsfw = Images peut-être déplacées : refusées, masquées ou montrées
discord-option-largest_megapixels = La plus grande image, en mégapixels
discord-option-visibility = Résultats visibles de tous, ou du seul demandeur
discord-command-imagine-name = imaginer
discord-command-edit-name = modifier
discord-command-vary-name = varier
discord-command-upscale-name = agrandir
discord-command-blend-name = fondre
discord-command-queue-name = file
discord-command-cancel-name = annuler
discord-command-quota-name = quota
discord-command-history-name = historique
discord-command-settings-name = réglages
discord-command-help-name = aide
discord-command-privacy-name = confidentialité
discord-command-privacy-export-name = exporter
discord-command-privacy-delete-name = supprimer
discord-command-waitlist-name = attente
discord-command-waitlist-join-name = rejoindre
discord-command-waitlist-leave-name = quitter
discord-command-waitlist-status-name = place
discord-command-studio-name = studio
discord-command-studio-role-name = rôle
discord-command-studio-roles-name = rôles
discord-command-studio-doors-name = portes
discord-command-studio-capacity-name = capacité
discord-command-studio-block-name = bloquer
discord-command-studio-grant-name = créditer
discord-command-studio-words-name = mots
discord-command-studio-settings-name = réglages
discord-command-studio-audit-name = journal
discord-command-edit-picture-name = Modifier l’image
discord-command-vary-picture-name = Varier l’image
discord-command-upscale-picture-name = Agrandir l’image
discord-option-prompt-name = description
discord-option-aspect-name = format
discord-option-count-name = nombre
discord-option-model-name = modèle
discord-option-seed-name = graine
discord-option-negative-name = sans
discord-option-reference-name = référence
discord-option-strength-name = force
discord-option-private-name = privé
discord-option-image-name = image
discord-option-instruction-name = consigne
discord-option-mask-name = masque
discord-option-factor-name = facteur
discord-option-image1-name = image1
discord-option-image2-name = image2
discord-option-image3-name = image3
discord-option-image4-name = image4
discord-option-job-name = commande
discord-option-member-name = membre
discord-option-role-name = rôle
discord-option-tier-name = niveau
discord-option-state-name = état
discord-option-blocked-name = bloqué
discord-option-credits-name = crédits
discord-option-why-name = raison
discord-option-words-name = mots
discord-option-trial-name = essai
discord-option-language-name = langue
discord-option-default_tier-name = niveau_de_base
discord-option-channel-name = salon
discord-option-nsfw-name = sensible
discord-option-largest_megapixels-name = mégapixels_maximum
discord-option-visibility-name = visibilité

## Slack
slack-sure = En êtes-vous sûr ? C'est définitif.
slack-no = Non
slack-invite-me = Je ne suis pas dans cette conversation et ne peux donc pas y publier d'image. Invitez-moi avec /invite @Atelier et redemandez ; rien n'a été décompté.
slack-no-files = Cet espace de travail ne permet pas aux applications d'envoyer des fichiers ; adressez-vous à un administrateur.
slack-status = dessine…
slack-suggestions = Essayez par exemple
slack-suggestion-1 = une petite maison rouge à gauche d'un arbre vert, la nuit
slack-suggestion-2 = un bateau bleu sur la mer au coucher du soleil --ar 16:9
slack-suggestion-3 = deux ballons jaunes au-dessus d'une prairie --count 2
slack-compose = Nouvelle image
slack-make = Créer
slack-prompt = Que doit montrer l'image ?
slack-prompt-hint = une maison rouge au bord de la mer, au soleil couchant
slack-negative = Que ne doit-on pas y voir ?
slack-reference = Une image de départ
slack-where = Où la publier ?
slack-instruction = Que faut-il changer ?
slack-edit-hint = rends la maison bleue
slack-mask = Seulement ici : une image blanche là où l'on peut changer
slack-report-why = Qu'est-ce qui ne va pas ?
slack-admin = Pour les administrateurs
slack-admin-words = /atelier studio role @groupe plus · studio roles · studio doors free closed · studio capacity · studio block @membre · studio words · studio settings · studio audit
slack-doors-open = Ouvertes
slack-doors-waitlist = Sur liste d'attente
slack-doors-closed = Fermées
slack-doors-auto = Ouvertes
