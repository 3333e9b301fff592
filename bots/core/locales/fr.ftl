## Le message d’une commande
state-queued = { $position ->
    [1] Votre tour arrive
   *[other] { ORDINAL($position) } place dans la file
 }
state-queued-estimate = { $position ->
    [1] Votre tour arrive, dans { $wait } environ
   *[other] { ORDINAL($position) } place dans la file, { $wait } environ
 }
state-queued-range = { $position ->
    [1] Votre tour arrive, dans { $wait } à { $longest } environ
   *[other] { ORDINAL($position) } place dans la file, { $wait } à { $longest } environ
 }
state-queued-behind = { $place ->
    [1] Votre tour arrive dans la formule { $name } ; { $tier ->
        [free] les membres payants passent d’abord
       *[other] les formules supérieures passent d’abord
    } : { $wait } environ
   *[other] { ORDINAL($place) } place dans la formule { $name } ; { $tier ->
        [free] les membres payants passent d’abord
       *[other] les formules supérieures passent d’abord
    } : { $wait } environ
 }
state-queued-behind-range = { $place ->
    [1] Votre tour arrive dans la formule { $name } ; { $tier ->
        [free] les membres payants passent d’abord
       *[other] les formules supérieures passent d’abord
    } : { $wait } à { $longest } environ
   *[other] { ORDINAL($place) } place dans la formule { $name } ; { $tier ->
        [free] les membres payants passent d’abord
       *[other] les formules supérieures passent d’abord
    } : { $wait } à { $longest } environ
 }
state-queued-grew = { $cause ->
    [paid] Beaucoup de commandes payantes sont arrivées : { $wait } environ, au lieu de { $before }.
    [fleet] Moins de serveurs de rendu fonctionnent : { $wait } environ, au lieu de { $before }.
    [demand] Beaucoup de commandes sont arrivées : { $wait } environ, au lieu de { $before }.
   *[other] L’attente est plus longue que prévu : { $wait } environ, au lieu de { $before }.
 }
state-queued-unknown = Dans la file
state-queued-degraded = { $count ->
    [1] La demande est forte en ce moment : cette image sera plus petite et réalisée en moins d’étapes que d’habitude.
   *[other] La demande est forte en ce moment : vous recevrez une image au lieu de { $count }, plus petite et réalisée en moins d’étapes que d’habitude.
 }
state-starting = Ça va commencer
state-running = Dessin en cours
state-running-steps = Dessin en cours, étape { $step } sur { $steps }
state-paused = En pause pour un membre d’une formule supérieure, { $step } étapes sur { $steps } terminées
state-paused-relaxed = En pause pour une image prioritaire, { $step } étapes sur { $steps } terminées
state-loading = Chargement du modèle
state-finishing = Finitions
state-done = { $count ->
    [one] Terminé en { $took }
   *[other] { $count } images terminées en { $took }
 }
state-done-untimed = Terminé
state-deleted = Ces images ont été supprimées.
state-cancelled = Annulé. Rien n’a été décompté.
state-invitation-valid = Votre invitation reste valable : vous pouvez réessayer.
title-edit = Modification : { $prompt }
title-vary = Variante de : { $prompt }
title-upscale = Agrandissement : { $prompt }
title-blend = Mélange : { $prompt }
title-untitled = Image sans titre
alt-picture = Image générée par IA : { $prompt }

## Boutons
button-cancel = Annuler
button-cancel-job = Annuler { $short }
button-vary = Varier
button-vary-n = Varier { $index }
button-upscale = Agrandir
button-upscale-n = Agrandir { $index }
button-edit = Modifier
button-edit-n = Modifier { $index }
button-reroll = Relancer
button-details = Détails
button-delete = Supprimer
button-report = Signaler
button-report-keep = Garder
button-report-remove = Retirer
button-report-block = Retirer et bloquer
button-report-show = Montrer l’image
button-report-keep-n = Garder { $index }
button-report-remove-n = Retirer { $index }
button-report-block-n = Retirer et bloquer { $index }
button-report-show-n = Montrer { $index }
button-undo = Revenir en arrière
button-join-waitlist = Rejoindre la liste d’attente
button-edit-recent = Modifier cette image
button-new-picture = Nouvelle image
button-draw-anyway = Dessiner quand même
button-confirm-forget = Tout supprimer

## Saisie incompréhensible
prompt-empty = Décrivez l’image que vous voulez, par exemple : une maison rouge au bord de la mer.
nothing-to-draw = Je ne m’exprime qu’en images : rien n’a été dessiné ni décompté. Décrivez-en une, par exemple : une maison rouge au bord de la mer. Pour changer l’une des miennes, répondez-y en disant ce qui doit changer. Écrivez « aide » pour voir le reste.
nothing-changed = Je n’ai rien annulé, rien défait et rien supprimé. Écrivez « file » pour voir ce qui est en attente, ou « historique » pour vos images.
several-wishes = Vous me demandez deux choses, et j’en fais une à la fois ; je n’ai donc encore rien fait. Envoyez-les l’une après l’autre : d’abord « { $first } », puis « { $second } ».
prompt-too-long = Votre description fait { $length } caractères ; la limite est de { $limit }.
unknown-flag = Je ne connais pas l’option { $flag }. Options possibles : { $known }.
ask-which = Faut-il modifier votre dernière image ici (« { $prompt } »), ou en créer une nouvelle ?
ask-no-picture = Cela modifie une image, et vous n’en avez pas de récente ici : rien n’a été dessiné ni décompté. Répondez à l’image en question, ou faites dessiner ces mots tels quels.
ask-unknown-words = Le modèle { $model } dessine { $things } choses, et { $words } { $count ->
    [one] n’en fait pas partie
   *[other] n’en font pas partie
}. Rien n’a été décompté.
no-known-word = Le modèle { $model } ne connaît aucun de ces mots : l’image serait tirée au hasard. Il dessine { $things } choses. Vous pouvez demander, par exemple, { $examples }.
note-unknown-words = { $words } { $count ->
    [one] n’a aucun sens
   *[other] n’ont aucun sens
} pour le modèle { $model }.
note-unread = Le modèle { $model } ne lit que le début d’une description. Il ne verra pas : « { $words } ».
note-uploaded-edit = Le modèle { $model } retouche mieux ses propres images. Les autres peuvent changer ailleurs que là où vous l’avez demandé.
question-expired = Cette question n’est plus valable. Envoyez de nouveau votre message.
near-flag = Je ne connais pas l’option { $flag }. Vouliez-vous dire { $meant } ? Options possibles : { $known }.
flag-needs-value = L’option { $flag } doit être suivie d’une valeur.
bad-aspect = « { $value } » n’est pas un format valable. Tous les formats de 1:4 à 4:1 sont possibles, par exemple { $known }.
bad-count = « { $value } » n’est pas un nombre d’images valable. Choisissez de 1 à { $limit }.
bad-seed = « { $value } » n’est pas une graine valable. Donnez un nombre entier de 0 à { $limit }, ou n’en donnez pas.
bad-strength = « { $value } » n’est pas une intensité valable. Donnez un nombre de 0 (garder l’image) à 1 (repartir de zéro).
bad-factor = Une image peut être agrandie 2 ou 4 fois.
bad-language = Je ne parle pas « { $value } ». Choisissez parmi { $known }.
bad-setting = « { $value } » n’est pas un réglage valable. Écrivez nom=valeur, avec l’un de ces noms : { $known }.
bad-tier = « { $value } » n’est pas une formule. Choisissez parmi { $known }.
bad-state = « { $value } » n’est pas un état d’accès valable. Choisissez parmi { $known }.
bad-credits = « { $value } » n’est pas un nombre de crédits valable.
unknown-command = Je ne connais pas la commande « { $word } ». Essayez : { $known }.
delete-button = Pour supprimer une image, appuyez sur Supprimer, sous l’image.
privacy-choice = Écrivez « privacy export » pour recevoir tout ce que je conserve sur vous, ou « privacy delete » pour le faire supprimer.
needs-picture = Joignez une image, ou répondez à l’une des miennes.
numbered-button = Pour agrandir ou varier une image parmi plusieurs, appuyez sur son bouton, sous l’image : « Agrandir 2 » ou « Varier 2 ».
several-pictures = Ce message contient { $count } images. Envoyez-moi celle que vous voulez utiliser.
needs-role = Indiquez un rôle et une formule, par exemple : studio role @Mécènes plus.
needs-member = Indiquez un membre.
blend-needs-more = Il faut de deux à quatre images pour un mélange.
too-many-files = Vous avez envoyé { $count } images, et je peux en utiliser { $limit } au plus. Choisissez lesquelles.

## Fichiers
not-a-picture = Je n’arrive pas à lire ce fichier comme une image. Envoyez un fichier PNG, JPEG, WebP ou HEIC.
file-not-a-picture = Je n’arrive pas à lire ce fichier comme une image : { $name }. Envoyez seulement des fichiers PNG, JPEG, WebP ou HEIC.
mask-empty =
    Ce masque ne marque rien : rien ne changerait. Peignez en blanc ce qui peut changer, et laissez le reste en noir :
    ⬛⬛⬛⬛⬛
    ⬛⬜⬜⬛⬛
    ⬛⬜⬜⬛⬛
    ⬛⬛⬛⬛⬛
mask-unclear =
    Je ne vois pas ce que ce masque marque. Peignez en blanc ce qui peut changer, et laissez le reste en noir :
    ⬛⬛⬛⬛⬛
    ⬛⬜⬜⬛⬛
    ⬛⬜⬜⬛⬛
    ⬛⬛⬛⬛⬛
    L’image elle-même avec cette partie effacée, ou peinte en rouge, convient aussi.
picture-too-large = Cette image est trop grande. Un fichier peut avoir jusqu’à { $megabytes } Mio, { NUMBER($side) } pixels de côté, et { $photo } mégapixels en PNG, WebP, AVIF ou HEIC, { $jpeg } en JPEG, { $megapixels } dans les autres formats.
file-not-allowed = Je ne peux ouvrir que les fichiers envoyés ici, pas les liens vers d’autres sites.
file-gone = Ce fichier n’est plus disponible. Envoyez-le de nouveau.
file-not-sent = Discord a refusé le fichier. Il est peut-être trop volumineux pour ce serveur.

## Refus. Rien n’est décompté.
refusal-title = Pas cette fois
blocked = L’administration de ce serveur vous a retiré le droit de créer des images.
banned = Vous ne pouvez pas utiliser ce bot.
server-banned = Ce serveur ne peut pas utiliser ce bot.
server-not-approved = L’exploitant de ce bot n’a pas encore approuvé ce serveur.
tier-beyond-limit = Ce serveur ne peut pas donner la formule { $tier }. La plus haute que l’exploitant du bot autorise ici est { $needs }.
grant-beyond-limit = { $limit ->
    [0] Ce serveur ne peut pas accorder de crédits. Demandez-le à l’exploitant du bot.
   *[other] Ce serveur peut accorder { $limit } crédits en 30 jours ; il en reste { $left }.
 }
doors-closed = Le studio est fermé aux membres { $tier } pour le moment. Réessayez plus tard.
doors-waitlist = Les membres { $tier } passent par une liste d’attente pour le moment. Rejoignez-la : je vous écrirai quand ce sera votre tour.
doors-elsewhere = L’accès des autres serveurs se règle uniquement sur la machine qui héberge le studio : ouvrez-y cette page, ou utilisez `atelier doors`.
sign-ups-suspended = Le studio n’accepte pas de nouveaux membres { $tier } pour le moment. Rejoignez la liste d’attente : je vous écrirai quand ce sera votre tour.
feature-waitlist = { $feature ->
    [edit] La modification d’images est accessible
    [vary] Les variantes sont accessibles
    [upscale] L’agrandissement est accessible
    [blend] Le mélange est accessible
    [private] Les résultats privés sont accessibles
   *[other] Cette fonction est accessible
 } sur liste d’attente pour le moment. Rejoignez-la : je vous écrirai quand ce sera votre tour.
feature-closed = { $feature ->
    [edit] La modification d’images est fermée
    [vary] Les variantes sont fermées
    [upscale] L’agrandissement est fermé
    [blend] Le mélange est fermé
    [private] Les résultats privés sont fermés
   *[other] Cette fonction est fermée
 } pour le moment. Réessayez plus tard.
feature-not-in-tier = { $feature ->
    [edit] La modification d’images est proposée
    [vary] Les variantes sont proposées
    [upscale] L’agrandissement est proposé
    [blend] Le mélange est proposé
    [private] Les résultats privés sont proposés
   *[other] Cette fonction est proposée
 } à partir de la formule { $needs }. Votre formule est { $tier }.
feature-not-yet = { $feature ->
    [edit] La modification d’images ouvrira
    [vary] Les variantes ouvriront
    [upscale] L’agrandissement ouvrira
    [blend] Le mélange ouvrira
    [private] Les résultats privés ouvriront
   *[other] Cette fonction ouvrira
 } aux membres { $tier } le { $opens }.
too-many-pictures = { $limit ->
    [one] Votre formule permet une image à la fois, et vous en demandez { $count }.
   *[other] Votre formule permet jusqu’à { $limit } images à la fois, et vous en demandez { $count }.
 }
too-many-uploads = Trop d’images sont envoyées en ce moment. Veuillez réessayer dans une minute.
export-running = Votre dernier export est encore en cours d’envoi. Veuillez attendre qu’il soit complet.
rate-limited = { $seconds ->
    [one] Vous envoyez des demandes trop vite. Veuillez patienter une seconde.
   *[other] Vous envoyez des demandes trop vite. Veuillez patienter { $seconds } secondes.
 }
side-too-long = Cela ferait { NUMBER($side) } pixels sur un côté. La limite est de { NUMBER($limit) }.
too-large = L’image ferait { $megapixels } mégapixels. Votre limite ici est de { $limit }.
waiting-full = { $limit ->
    [one] Vous avez déjà une image dans la file. Vous pourrez en demander une autre dès qu’elle aura commencé.
   *[other] Vous avez déjà { $limit } images dans la file. Vous pourrez en demander une autre dès que l’une d’elles aura commencé.
 }
quota-spent = { $left ->
    [0] Vous avez utilisé tous vos crédits. Vous pourrez créer cette image dans { $returns }.
   *[other] Il faut { $cost } { $cost ->
    [one] crédit
   *[other] crédits
 } et il vous en reste { $left }. Vous pourrez créer cette image dans { $returns }.
 }
quota-too-small = Il faut { $cost } crédits, et votre quota est de { $limit }. Demandez moins d’images, ou des images plus petites.
pool-spent = { $left ->
    [0] Votre équipe a utilisé tous ses crédits partagés. Vous pourrez créer cette image dans { $returns }.
   *[other] Il faut { $cost } { $cost ->
    [one] crédit
   *[other] crédits
 } et il reste { $left } crédits partagés à votre équipe. Vous pourrez créer cette image dans { $returns }.
 }
pool-too-small = Il faut { $cost } crédits, et votre équipe en partage { $limit }. Demandez moins d’images, ou des images plus petites.
forbidden-words = Ce serveur n’autorise pas « { $word } » dans les descriptions.
unsafe = Ce serveur n’autorise pas ce genre d’images.
unknown-model = Il n’y a pas de modèle « { $model } » ici pour le moment. Modèles disponibles : { $models }.
no-model = Le modèle « { $model } » n’est pas disponible pour le moment, ni aucun autre. Veuillez réessayer plus tard.
model-not-in-tier = Le modèle { $model } est proposé à partir de la formule { $needs }.
model-closed = Le modèle { $model } ne vous est pas proposé.
unknown-picture = Je ne retrouve plus cette image.
unsupported = Le modèle { $model } ne permet pas cela.
parameter-unsupported =
 { $parameter ->
    [negative] Le modèle { $model } n’accepte pas de description négative.
    [reference] Le modèle { $model } n’accepte pas d’image de référence.
   *[other] Le modèle { $model } n’a pas de réglage d’intensité.
 }
channel-not-allowed = On ne peut pas créer d’images dans ce salon. Essayez { $channels }.
not-yours = Seul le membre qui a passé cette commande ou un modérateur peut faire cela.
no-such-job = Je ne retrouve pas cette commande.
nothing-to-cancel = Vous n’avez rien dans la file.
cancel-limited = Vous avez annulé { $limit } commandes déjà commencées au cours de la dernière heure. Celle-ci sera menée à terme.
already-ended = Cette commande est déjà terminée.
cancelled = Annulé. Rien n’a été décompté.
cancelling = Arrêt en cours. Rien ne sera décompté.
deleted = Supprimé.
reported = Merci. La modération de ce serveur peut voir votre signalement.
reported-to-operator = Merci. La personne qui exploite ce bot peut voir votre signalement.
only-administrators = Cette action est réservée à l’administration de ce serveur.
only-moderators = Cette action est réservée à la modération de ce serveur.
no-such-report = Ce signalement est déjà clos.
report-kept = L’image reste. Le signalement est clos.
report-removed = L’image est retirée. Son auteur en sera averti.
report-blocked = L’image est retirée et { $member } est bloqué. L’auteur en sera averti.
report-owner-notice = La modération a retiré votre image « { $prompt } » après un signalement.
reports-title = Signalements en cours
reports-empty = Il n’y a aucun signalement en cours.
report-heading = { $number } · « { $prompt } » de { $member }, signalée il y a { $age }
report-no-reason = Aucune raison n’a été donnée.
unavailable = Le studio est injoignable pour le moment. Rien n’a été décompté. Réessayez dans une minute.
private-message-only = Les résultats privés ne peuvent pas s’afficher ici.
no-parent = Cette image n’a pas été créée à partir d’une autre.

## Pourquoi une commande a échoué. Rien n’est décompté.
failed-prefix = Cela n’a pas fonctionné. { $why } Rien n’a été décompté.
imaging-failed = Une erreur est survenue pendant le dessin.
model-unavailable = Le modèle n’a pas pu être chargé. La raison figure dans le journal du studio.
out-of-memory = L’image était trop grande pour la carte graphique. Essayez-en une plus petite.
render-timed-out = Le rendu a pris trop de temps.
engine-stopped = Le serveur de rendu s’est arrêté.
server-unavailable = Le serveur qui exécute ce modèle est injoignable ou surchargé.
server-refused = Le serveur qui exécute ce modèle a refusé la commande. La raison figure dans le journal du studio.
worker-lost = Le serveur de rendu a cessé de répondre plus d’une fois.
pictures-lost = Les images terminées sont introuvables.
delivery-failed = L’image n’a pas pu être publiée après de nombreuses tentatives.
lost-right = Votre rôle a changé pendant l’attente.
message-gone = Le message correspondant a été supprimé.
channel-gone = Le salon correspondant a été supprimé.
channel-archived = Le salon correspondant est archivé.
no-permission = Je n’ai plus le droit d’y publier.
token-expired = Le délai pour vous montrer l’image à vous seul est dépassé, et vos messages privés sont fermés.
shown-directly = Discord garde une réponse privée ouverte pendant 15 minutes : je vous envoie donc celle-ci directement. Pour continuer, utilisez /history sur le serveur.
undeliverable = L’image n’a pas pu être publiée.

## File, quota, historique
queue-empty = Vous n’avez rien dans la file.
queue-title = Vos images dans la file
queue-cancelling = Rien n’est annulé pour l’instant. Appuyez sur le bouton de celle qu’il faut annuler.
queue-row = { $short } : { $prompt }
quota-title = Votre quota
quota-tier = Formule
quota-left = Reste
quota-left-value = { $left } crédits sur { $limit }
quota-held = Réservé
quota-held-value = { $held } pour des images en cours
quota-window = Période
quota-returns = À venir
quota-returns-value = { $credits } dans { $wait }
quota-returns-none = rien à récupérer
quota-pool = Partagé par votre équipe
quota-pool-value = { $left } crédits
quota-relaxed = Vous pouvez encore créer des images, avec une priorité plus basse.
quota-summary = Il vous reste { $left } crédits sur { $limit }.
history-title = Vos images
history-empty = Vous n’avez pas encore créé d’image. Essayez : imagine une maison rouge au bord de la mer.
details-title = Détails
details-prompt = Description
details-negative = Sans
details-seed = Graine
details-model = Modèle
details-size = Taille
details-steps = Étapes
details-strength = Intensité
details-took = Durée
details-credits = Crédits
details-short = Commande
details-order = Pour la refaire
details-steps-default = selon le modèle
undo-shown = Voici l’image précédente.

## Réglages
settings-title = Vos réglages
settings-none = selon le studio
settings-aspect = Format
settings-count = Nombre
settings-model = Modèle
settings-language = Langue
settings-saved = Enregistré.

## Vie privée
privacy-export = Voici tout ce que je conserve à votre sujet : vos descriptions, vos réglages, votre historique et vos images. Si un seul fichier ne suffit pas, d’autres suivent.
privacy-export-part = Fichier { $number } de vos données. D’autres suivent.
privacy-export-last = Fichier { $number } de vos données, le dernier. Si un nom se termine par « .part1-of-2 », réunissez les parties pour obtenir le fichier.
privacy-export-stopped = Je n’ai pas pu envoyer le reste de vos données après le fichier { $number }. Redemandez-les dans quelques minutes.
privacy-confirm = Cette action supprime définitivement toutes vos images, vos descriptions et votre historique sur ce serveur. Les crédits utilisés restent décomptés. Voulez-vous continuer ?
privacy-deleted = { $count ->
    [0] Vos descriptions et votre historique ont été supprimés.
    [one] Une image, vos descriptions et votre historique ont été supprimés.
   *[other] { $count } images, vos descriptions et votre historique ont été supprimés.
 } Les messages avec vos images sont en cours de suppression ; l’export de vos données indique ceux qui ne peuvent pas être supprimés.

## Liste d’attente
waitlist-joined = Vous êtes en { ORDINAL($position) } position sur la liste d’attente. Je vous écrirai quand ce sera votre tour.
waitlist-status = Vous êtes en { ORDINAL($position) } position sur la liste d’attente.
waitlist-invited = C’est votre tour. Demandez une image dans les { $left } pour utiliser votre invitation.
waitlist-not-on = Vous n’êtes pas sur la liste d’attente.
waitlist-not-needed = Vous n’avez pas besoin de la liste d’attente : vous pouvez créer des images dès maintenant.
waitlist-left = Vous avez quitté la liste d’attente.
waitlist-your-turn = C’est votre tour ! Demandez une image dans les { $left } pour utiliser votre invitation.

## Aide
help-title = Ce que vous pouvez faire
help-intro = Décrivez ce que vous voulez voir, en français ou en anglais. Je vous indique votre place dans la file, je dessine, puis je publie l’image ici.
help-imagine = Créer une image
help-imagine-value = imagine une petite maison rouge à gauche d’un arbre vert, la nuit
help-imagine-value-discord = /imagine une petite maison rouge à gauche d’un arbre vert, la nuit — ou mentionnez-moi avec les mêmes mots
help-imagine-value-slack = mentionnez-moi en disant ce que vous voulez voir, ou /imagine une petite maison rouge à gauche d’un arbre vert, la nuit
help-flags = Options
help-flags-value = --ar 16:9 · --count 2 · --seed 7 · --no arbres · --strength 0,5
help-edit = Modifier une image
help-edit-value = répondez-lui en disant quoi changer : mets la maison en bleu
help-more = Aller plus loin
help-more-value = les boutons sous une image : Varier, Agrandir, Relancer
help-account = Votre compte
help-account-value = queue · cancel · quota · history · settings · privacy · waitlist
help-account-value-discord = /queue · /cancel · /quota · /history · /settings · /privacy · /waitlist
help-account-value-slack = /atelier queue · /atelier cancel · /atelier quota · /atelier history · /atelier settings · /atelier privacy · /atelier waitlist — ou mentionnez-moi avec le mot seul

## Administration
studio-role-set = Les membres ayant le rôle { $role } ont maintenant la formule { $tier }.
studio-role-removed = Le rôle { $role } ne donne plus de formule.
studio-roles-title = Rôles et formules
studio-roles-empty = Aucun rôle ne donne encore de formule. Tout le monde a la formule { $tier }.
studio-doors-title = Accès
studio-doors-row = { $now ->
    [open] ouvert
    [waitlist] liste d’attente
   *[closed] fermé
 } (réglage : { $set })
studio-doors-row-wait = { $now ->
    [open] ouvert
    [waitlist] liste d’attente
   *[closed] fermé
 } (réglage : { $set }), attente prévue { $wait }
studio-doors-name = { $door ->
    [imagine] Création d’images
    [edit] Modification
    [vary] Variantes
    [upscale] Agrandissement
    [blend] Mélange
    [private] Résultats privés
    [sign-ups] Nouveaux membres
   *[other] Tout
 }
studio-doors-override = { $set ->
    [open] ouvert
    [waitlist] liste d’attente
    [auto] automatique
   *[closed] fermé
 }
studio-doors-set = L’accès « { $tier } » est maintenant réglé sur { $state }.
studio-capacity-title = Capacité du studio
studio-capacity-tier = { $queued } dans la file, { $running } en cours
studio-capacity-tier-wait = { $queued } dans la file, { $running } en cours. Attente médiane { $p50 }, 90e centile { $p90 }
studio-capacity-workers = Serveurs de rendu
studio-capacity-worker = { $name } sur { $device } : { $running } emplacements occupés sur { $slots }
studio-capacity-no-workers = aucun en ligne
studio-capacity-faults = Modèles indisponibles
studio-capacity-fault = { $model } sur { $worker } depuis { $since } : { $reason } Prochain essai dans { $next }.
studio-capacity-fault-trying = { $model } sur { $worker } depuis { $since } : { $reason } Un nouvel essai est en cours.
studio-capacity-faults-more = et { $count } de plus
studio-capacity-waitlist = Liste d’attente
studio-capacity-waitlist-value = { $count ->
    [one] { $count } membre
   *[other] { $count } membres
 }
studio-capacity-calibration = Fiabilité des estimations
studio-capacity-calibration-value = { $tier } { $share }
studio-blocked = { $member } ne peut plus créer d’images.
studio-unblocked = { $member } peut de nouveau créer des images.
studio-words-title = Mots interdits
studio-words-none = Aucun mot n’est interdit.
studio-words-saved = { $count ->
    [0] Plus aucun mot n’est interdit.
    [one] Un mot est maintenant interdit.
   *[other] { $count } mots sont maintenant interdits.
 }
studio-words-trial-hit = Cette description serait refusée à cause de « { $word } ».
studio-words-trial-pass = Cette description serait acceptée.
studio-settings-title = Réglages du serveur
studio-settings-saved = Enregistré.
studio-settings-default = par défaut
studio-audit-title = Activité de l’administration
studio-audit-empty = Aucune activité pour l’instant.
studio-audit-row = il y a { $ago } · { $actor }
studio-granted = { $credits ->
    [one] { $member } a reçu { $credits } crédit.
   *[other] { $member } a reçu { $credits } crédits.
 }
studio-revoked = { $credits ->
    [one] { $credits } crédit a été retiré à { $member }.
   *[other] { $credits } crédits ont été retirés à { $member }.
 }
studio-chart-queue = Dans la file
studio-chart-waits = Attente médiane, en minutes
studio-chart-workers = { $count ->
    [0] aucun serveur de rendu
    [one] 1 serveur de rendu
   *[other] { $count } serveurs de rendu
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
discord-form-mask-about = Blanc sur noir là où l’on peut changer ; ou l’image avec cette partie effacée ou peinte en rouge.
discord-form-reroll = Relancer l’image
discord-form-prompt = Description
discord-form-report = Signaler l’image
discord-form-words = Quel est le problème ?
discord-command-imagine = Créer des images à partir d’une description
discord-command-edit = Modifier une image selon une consigne
discord-command-vary = Créer des variantes d’une image
discord-command-upscale = Agrandir une image
discord-command-blend = Mélanger de deux à quatre images
discord-command-queue = Vos images dans la file, avec l’attente estimée
discord-command-cancel = Annuler l’une de vos images
discord-command-quota = Vos crédits restants, et quand ils reviennent
discord-command-history = Vos images, de la plus récente à la plus ancienne
discord-command-settings = Vos réglages
discord-command-help = Ce que vous pouvez faire, avec des exemples
discord-command-privacy = Vos données sur ce serveur
discord-command-privacy-export = Télécharger tout ce qui est conservé à votre sujet
discord-command-privacy-delete = Supprimer vos images, vos descriptions et votre historique
discord-command-waitlist = Rejoindre, quitter ou consulter la liste d’attente
discord-command-waitlist-join = Rejoindre la liste d’attente
discord-command-waitlist-leave = Quitter la liste d’attente
discord-command-waitlist-status = Votre place sur la liste d’attente
discord-command-studio = Gérer le studio sur ce serveur
discord-command-studio-role = Définir la formule que donne un rôle
discord-command-studio-roles = Afficher les rôles et leurs formules
discord-command-studio-doors = Afficher ou régler l’accès à la création d’images
discord-command-studio-capacity = File, attentes et serveurs de rendu en ce moment
discord-command-studio-block = Bloquer ou débloquer un membre
discord-command-studio-grant = Accorder ou retirer des crédits
discord-command-studio-words = Mots interdits dans les descriptions
discord-command-studio-settings = Réglages du serveur
discord-command-studio-audit = Activité récente de l’administration
discord-command-studio-reports = Signalements en cours, avec des boutons pour garder ou retirer
discord-option-prompt = Ce que l’image doit montrer
discord-option-aspect = Largeur sur hauteur
discord-option-count = Nombre d’images
discord-option-model = Modèle à utiliser
discord-option-seed = La même graine donne la même image
discord-option-negative = Ce qu’il faut éviter
discord-option-reference = Une image de départ
discord-option-strength = De 0 (garder l’image) à 1 (repartir de zéro)
discord-option-private = Ne montrer le résultat qu’à vous
discord-option-image = L’image
discord-option-instruction = Ce qui doit changer
discord-option-mask = Blanc là où l’on peut changer
discord-option-factor = Combien de fois plus grande
discord-option-image1 = Première image
discord-option-image2 = Deuxième image
discord-option-image3 = Troisième image
discord-option-image4 = Quatrième image
discord-option-job = Quelle commande ; la plus récente par défaut
discord-option-member = Le membre
discord-option-role = Le rôle
discord-option-tier = La formule
discord-option-state = Ouvert, liste d’attente, fermé, ou auto pour suivre la charge
discord-option-blocked = Vrai pour bloquer, faux pour débloquer
discord-option-credits = Nombre de crédits ; négatif pour en retirer
discord-option-why = Motif, pour le journal
discord-option-words = Mots séparés par des espaces, ou un tiret pour vider la liste
discord-option-trial = Une description à essayer avec la liste
discord-option-language = Langue
discord-option-default_tier = Formule des membres dont aucun rôle n’en donne
discord-option-channel = Un salon où créer des images ; choisissez-le encore pour le retirer
discord-option-nsfw = Que faire des images peut-être inappropriées
discord-option-largest_megapixels = Plus grande image, en mégapixels
discord-option-visibility = Qui voit les résultats : tout le monde, ou le membre seul
discord-option-reports_channel = Un salon qui reçoit les signalements, avec des boutons pour la modération
discord-command-imagine-name = imaginer
discord-command-edit-name = modifier
discord-command-vary-name = varier
discord-command-upscale-name = agrandir
discord-command-blend-name = mélanger
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
discord-command-studio-doors-name = accès
discord-command-studio-capacity-name = capacité
discord-command-studio-block-name = bloquer
discord-command-studio-grant-name = créditer
discord-command-studio-words-name = mots
discord-command-studio-settings-name = réglages
discord-command-studio-audit-name = journal
discord-command-studio-reports-name = signalements
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
discord-option-strength-name = intensité
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
discord-option-tier-name = formule
discord-option-state-name = état
discord-option-blocked-name = bloqué
discord-option-credits-name = crédits
discord-option-why-name = motif
discord-option-words-name = mots
discord-option-trial-name = essai
discord-option-language-name = langue
discord-option-default_tier-name = formule_par_défaut
discord-option-channel-name = salon
discord-option-nsfw-name = sensible
discord-option-largest_megapixels-name = mégapixels_maximum
discord-option-visibility-name = visibilité
discord-option-reports_channel-name = salon_signalements

## Slack
slack-sure = Voulez-vous continuer ? Cette action est définitive.
slack-no = Conserver
slack-invite-me = Je ne participe pas à cette conversation et ne peux donc pas y publier d’image. Invitez-moi avec /invite @Atelier et réessayez. Rien n’a été décompté.
slack-no-files = Cet espace de travail n’autorise pas les applications à envoyer des fichiers. Adressez-vous à un administrateur.
slack-file-failed = Je n’ai pas pu vous envoyer le fichier. Redemandez-le dans quelques minutes.
slack-status = s’en occupe…
slack-suggestions = Essayez par exemple
slack-suggestion-1 = une maison rouge sous la neige
slack-suggestion-2 = une fusée rouge la nuit
slack-suggestion-3 = un cœur rouge sur fond blanc --count 2
slack-compose = Nouvelle image
slack-make = Créer
slack-prompt = Que doit montrer l’image ?
slack-prompt-hint = une maison rouge au bord de la mer, au soleil couchant
slack-negative = Que faut-il éviter ?
slack-reference = Image de départ
slack-where = Où la publier ?
slack-instruction = Que faut-il changer ?
slack-edit-hint = rends la maison bleue
slack-mask = Masque : blanc sur noir là où l’on peut changer
slack-report-why = Quel est le problème ?
slack-admin = Pour l’administration
slack-admin-words = /atelier studio role @groupe plus · studio roles · studio doors free closed · studio capacity · studio block @membre · studio words · studio reports · studio settings · studio audit
slack-doors-open = Ouvert
slack-doors-waitlist = Liste d’attente
slack-doors-closed = Fermé
slack-doors-auto = Ouvert
