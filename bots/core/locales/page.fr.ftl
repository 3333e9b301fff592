# Ce que seule la page du bac à sable dit. Elle utilise aussi des messages de fr.ftl, comme les boutons.

## Cadre
page-skip-link = Aller à la zone de saisie
page-channels = Salons
page-add-channel = Ajouter un salon
page-channel-name = Nom du salon
page-channel-rule = 40 caractères au plus : minuscules, chiffres et tirets.
page-show-channels = Afficher les salons
page-unread = nouveaux messages
page-studio = Studio
page-shortcuts = Raccourcis clavier
page-theme = Thème
page-theme-system = Système
page-theme-light = Clair
page-theme-dark = Sombre
page-language = Langue
page-topic-general = Demandez une image : tout le monde ici peut la voir.
page-topic-gallery = Celles qui méritent d’être montrées.
page-topic-trials = Pour essayer des descriptions sans encombrer les autres salons.
page-offline = Vous êtes hors ligne. Ce que vous avez envoyé est en sécurité, et la page reprendra dès que la connexion reviendra.
page-request-failed = Atelier est injoignable. Rien n’est perdu. Veuillez réessayer.
page-retry = Réessayer
page-dismiss = Ignorer
page-close = Fermer
page-back = Retour
page-save = Enregistrer

## Conversation
page-messages = Messages
page-loading = Chargement des messages…
page-loading-failed = Impossible de charger les messages.
page-new-below = Nouveaux messages
page-today = Aujourd’hui
page-yesterday = Hier
page-welcome-title = Que voulez-vous voir ?
page-welcome-text = Décrivez une image ci-dessous, ou partez de l’un de ces exemples. Vous pouvez placer des options comme --ar 16:9 n’importe où dans la description.
page-thread-welcome = Décrivez une modification. Chaque réponse crée une nouvelle image et conserve les précédentes.
page-only-you = Vous seul pouvez voir ceci
page-private-result = Privé : vous seul pouvez voir ceci
page-queue-position = { $position ->
    [1] Prochaine
   *[other] { ORDINAL($position) }
 }
page-queue-position-note = dans la file
page-starting = Démarrage…
page-open-picture = Ouvrir l’image
page-open-picture-number = Ouvrir l’image { $number }
page-more-actions = Plus
page-copy-prompt = Copier la description
page-copied = Copié
page-download = Télécharger
page-download-number = Télécharger { $number }
page-thread = Fil
page-close-thread = Fermer le fil
page-blend = Mélanger
page-blend-number = Mélanger { $number }
page-made-from = Créée à partir de cette image
page-upscale-factor = Agrandir ×{ $factor }
page-pictures-ready = { $count ->
    [one] Votre image est prête : { $prompt }
   *[other] Vos { $count } images sont prêtes : { $prompt }
 }
page-delete-title = Supprimer ces images ?
page-delete-text = Elles seront supprimées pour tout le monde. Cette action est irréversible.
page-report-title = Signaler l’image
page-report-question = Quel est le problème ?
page-report-send = Envoyer le signalement

## Zone de saisie
page-prompt = Description
page-prompt-placeholder = Décrivez une image pour #{ $channel }
page-thread-placeholder = Que faut-il changer ?
page-edit-placeholder = Que faut-il changer ? Par exemple : mets la maison en bleu
page-blend-placeholder = Décrivez le mélange (facultatif)
page-reroll-placeholder = Modifiez la description, ou envoyez-la telle quelle
page-send = Envoyer
page-attach = Joindre une image
page-add-option = Ajouter une option
page-attachment-use = Utiliser comme
page-attachment-reference = référence
page-attachment-edit = image à retoucher
page-remove-attachment = Retirer { $name }
page-editing = Retouche d’une image
page-blending = { $count ->
    [one] Mélange de { $count } image
   *[other] Mélange de { $count } images
 }
page-blend-more = Choisissez au moins une autre image avec son bouton Mélanger.
page-rerolling = Recommencer avec une autre description
page-paint-mask = Peindre un masque
page-mask-painted = Masque peint
page-change-mask = Modifier le masque
page-leave-mode = Revenir à une nouvelle image
page-enter-hint = Entrée pour envoyer, Maj+Entrée pour aller à la ligne
page-options-hint = -- pour les options, / pour les commandes
page-unknown-words = { $count ->
    [one] Le modèle ne connaît pas ce mot : { $words }
   *[other] Le modèle ne connaît pas ces mots : { $words }
 }
page-prompt-over = { $count ->
    [one] { $count } caractère de trop
   *[other] { $count } caractères de trop
 }
page-not-a-picture = « { $name } » n’est pas une image lisible. Envoyez un fichier PNG, JPEG, WebP, GIF ou HEIC.
page-one-file = Seul « { $name } » a été joint : un message prend une seule image. Pour en mélanger plusieurs, sélectionnez des images déjà faites.
page-file-too-large = « { $name } » est trop volumineux. La limite est de { $megabytes } Mio par image.

## Suggestions pendant la saisie
page-suggestions = { $count ->
    [one] { $count } suggestion. Appuyez sur Tab pour l’accepter.
   *[other] { $count } suggestions. Choisissez avec les flèches haut et bas, acceptez avec Tab.
 }
page-flag-ar = largeur sur hauteur : 1:1, 3:2, 2:3, 4:5, 16:9, 9:16
page-flag-count = nombre d’images, de 1 à 4
page-flag-seed = un nombre ; la même graine donne la même image
page-flag-no = ce qu’il faut éviter
page-flag-model = le modèle à utiliser
page-flag-strength = 0 conserve la référence, 1 l’ignore
page-command-imagine = créer une image
page-command-queue = vos images dans la file
page-command-cancel = arrêter votre dernière image
page-command-quota = vos crédits restants
page-command-history = vos images
page-command-settings = vos réglages par défaut
page-command-privacy = exporter ou supprimer vos données
page-command-waitlist = rejoindre, quitter ou consulter la liste d’attente
page-command-help = ce que vous pouvez demander
page-command-studio = pour les administrateurs

## Raccourcis clavier
page-shortcut-send-keys = Entrée
page-shortcut-send = envoyer
page-shortcut-new-line-keys = Maj + Entrée
page-shortcut-new-line = aller à la ligne
page-shortcut-recall-keys = ↑
page-shortcut-recall = dans une zone vide : votre dernière description
page-shortcut-focus-keys = /
page-shortcut-focus = aller à la zone de saisie
page-shortcut-channel-keys = Alt + ↑ ↓
page-shortcut-channel = salon précédent ou suivant
page-shortcut-message-keys = ↑ ↓
page-shortcut-message = message précédent ou suivant
page-shortcut-ends-keys = Début / Fin
page-shortcut-ends = premier ou dernier message
page-shortcut-escape-keys = Échap
page-shortcut-escape = fermer une fenêtre ou quitter un mode
page-shortcut-help-keys = ?
page-shortcut-help = afficher ces raccourcis

## Personne
page-persona-button = Vous êtes { $name }, { $tier }. Changer de personne
page-persona-title = Qui êtes-vous ?
page-persona-text = Ici, vous pouvez être n’importe qui. Chaque personne a son quota et sa place dans la file, pour comparer les formules côte à côte. Chaque fenêtre garde sa personne.
page-persona-new = Ajouter une personne
page-persona-edit = Modifier { $name }
page-persona-name = Nom
page-persona-role = Rôle
page-persona-administrator = Administrateur de ce serveur
page-persona-is-administrator = administrateur
page-persona-remove = Retirer de cette liste
page-quota = { $left ->
    [one] { $left } crédit restant sur { $limit }. Afficher le quota
   *[other] { $left } crédits restants sur { $limit }. Afficher le quota
 }
page-quota-of = / { $limit } crédits
page-waitlist-position = Liste d’attente : { ORDINAL($position) }
page-invited-until = Votre invitation est valable jusqu’à { $time }
page-switch-persona = Changer de personne

## Visionneuse
page-previous-picture = Image précédente
page-next-picture = Image suivante
page-zoom = Zoom
page-picture-of = { $number } sur { $count }

## Éditeur de masque
page-mask-title = Peignez sur ce qui doit changer
page-mask-canvas = Masque. Flèches pour déplacer le pinceau, Espace pour peindre, Z pour annuler le dernier trait.
page-mask-brush-size = Taille du pinceau
page-mask-erase = Gommer
page-mask-paint = Peindre
page-mask-undo = Annuler
page-mask-clear = Effacer
page-mask-use = Utiliser le masque
page-mask-empty = Vous n’avez encore rien peint.

## Page des administrateurs
page-back-to-chat = Retour aux salons
page-as-of = à { $time }
page-seconds = { NUMBER($seconds, maximumFractionDigits: 1) } s
page-percent = { NUMBER($percent, maximumFractionDigits: 1) } %
page-stat-queued = Dans la file
page-stat-running = En cours
page-stat-backlog = Travail en attente
page-stat-workers = Serveurs de rendu
page-stat-waitlist = Sur la liste d’attente
page-chart-now = Images dans la file depuis l’ouverture de cette page
page-chart-now-label = { $now } dans la file, { $most } au plus depuis l’ouverture de cette page
page-chart-day-queue = Images dans la file, dernières 24 heures
page-chart-day-queue-label = Images dans la file, dernières 24 heures : { $most } au plus pour une formule
page-chart-day-waits = Attente médiane en secondes, dernières 24 heures
page-chart-day-waits-label = Attente médiane, dernières 24 heures : { NUMBER($most, maximumFractionDigits: 1) } secondes au plus
page-tiers = Formules
page-column-tier = Formule
page-column-queued = Dans la file
page-column-running = En cours
page-column-wait-median = Attente médiane
page-column-wait-p90 = Attente, 90e centile
page-column-accuracy = Fiabilité des estimations
page-column-doors = Accès
page-accuracy = Fiabilité des estimations du dernier jour
page-column-surge-age = Âge de la demande
page-column-within-p90 = Dans la fourchette
page-column-width = Largeur (90e centile ÷ médiane)
page-column-estimates = Estimations
page-no-estimates = Aucune estimation n’est encore échue.
page-times = { NUMBER($times, maximumFractionDigits: 1) } ×
page-surge-age = { $age ->
    [new] moins de 20 s
    [young] moins de 2 min
   *[old] plus ancienne
}
page-workers = Serveurs de rendu
page-column-worker = Serveur de rendu
page-column-device = Matériel
page-column-models = Modèles
page-column-busy = Occupation
page-column-seconds-per-picture = Durée par image
page-no-workers = Aucun serveur de rendu ne fonctionne. Les images attendent qu’il y en ait un.
page-model-fault = { $model } n’est pas disponible depuis { $since } : { $reason } Prochain essai : { $next }
page-model-fault-trying = { $model } n’est pas disponible depuis { $since } : { $reason } Un nouvel essai est en cours.
page-doors = Accès
page-doors-server = Réglages manuels pour
page-doors-this-playground = ce bac à sable
page-doors-all-servers = tous les serveurs
page-column-door = Accès
page-column-door-now = En ce moment
page-column-door-default = Par défaut
page-column-door-override = Réglage manuel
page-column-door-other-overrides = Autres réglages manuels
page-column-door-wait = Attente prévue
page-door-imagine = Création d’images
page-door-edit = Retouche
page-door-vary = Variations
page-door-upscale = Agrandissement
page-door-blend = Mélange
page-door-private = Résultats privés
page-door-everything = Tout le serveur
page-door-sign-ups = Nouveaux membres
page-door-select = Accès : { $door }
page-door-set = { $door } : { $state }
page-door-usual = par défaut
page-door-open = ouvertes
page-door-waitlist = liste d’attente
page-door-closed = fermées
page-door-auto = automatiques
page-door-resolved = { $set } ({ $now })
page-door-degraded = { $state } · moins d’étapes

## Connexion
page-sign-in-title = Connexion
page-sign-in-text = Saisissez le secret de l’exploitant. Il se trouve dans le fichier « playground-secret » du dossier de données d’Atelier.
page-sign-in-secret = Secret
page-sign-in = Se connecter
page-sign-in-wrong = Ce n’est pas le bon secret.
page-sign-in-too-many = Trop de secrets erronés ont été essayés. Veuillez patienter un peu.
page-sign-in-doors = Connectez-vous en tant qu’exploitant pour régler l’accès des autres serveurs
page-sign-out = Se déconnecter
