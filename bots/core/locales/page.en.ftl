# What only the playground's page says. It also uses messages of en.ftl, such as the buttons' labels.

## Frame
page-skip-link = Skip to the prompt box
page-channels = Channels
page-add-channel = Add channel
page-channel-name = Channel name
page-channel-rule = Up to 40 lowercase letters, digits and hyphens.
page-show-channels = Show channels
page-unread = new messages
page-studio = Studio
page-shortcuts = Keyboard shortcuts
page-theme = Theme
page-theme-system = System
page-theme-light = Light
page-theme-dark = Dark
page-language = Language
page-topic-general = Ask for a picture. Everyone here can see it.
page-topic-gallery = The ones worth showing.
page-topic-trials = Try out prompts without cluttering the other channels.
page-offline = You’re offline. Everything you sent is safe, and the page picks up again as soon as it can reconnect.
page-request-failed = Atelier can’t be reached. Nothing was lost. Please try again.
page-retry = Try again
page-dismiss = Dismiss
page-close = Close
page-back = Back
page-save = Save

## Conversation
page-messages = Messages
page-loading = Loading messages…
page-loading-failed = The messages couldn’t be loaded.
page-new-below = New messages
page-today = Today
page-yesterday = Yesterday
page-welcome-title = What would you like to see?
page-welcome-text = Describe a picture below, or start with one of these. You can put options such as --ar 16:9 anywhere in your prompt.
page-thread-welcome = Describe a change. Each reply makes a new picture and keeps the earlier ones.
page-only-you = Only you can see this
page-private-result = Private: only you can see this
page-queue-position = { $position ->
    [1] Next
   *[other] { ORDINAL($position) }
 }
page-queue-position-note = in line
page-starting = Starting…
page-open-picture = Open picture
page-open-picture-number = Open picture { $number }
page-more-actions = More
page-copy-prompt = Copy prompt
page-copied = Copied
page-download = Download
page-download-number = Download { $number }
page-thread = Thread
page-close-thread = Close thread
page-blend = Blend
page-blend-number = Blend { $number }
page-made-from = Made from this picture
page-upscale-factor = Upscale ×{ $factor }
page-pictures-ready = { $count ->
    [one] Your picture is ready: { $prompt }
   *[other] Your { $count } pictures are ready: { $prompt }
 }
page-delete-title = Delete these pictures?
page-delete-text = They’ll be deleted for everyone. You can’t undo this.
page-report-title = Report picture
page-report-question = What’s wrong with it?
page-report-send = Send report

## Prompt box
page-prompt = Prompt
page-prompt-placeholder = Describe a picture for #{ $channel }
page-thread-placeholder = What should change?
page-edit-placeholder = What should change? For example: make the house blue
page-blend-placeholder = Describe the blend (optional)
page-reroll-placeholder = Change the prompt, or send it as it is
page-send = Send
page-attach = Attach a picture
page-add-option = Add an option
page-attachment-use = Use as
page-attachment-reference = reference
page-attachment-edit = picture to edit
page-remove-attachment = Remove { $name }
page-editing = Editing a picture
page-blending = { $count ->
    [one] Blending { $count } picture
   *[other] Blending { $count } pictures
 }
page-blend-more = Choose at least one more picture: press Blend below it.
page-rerolling = Make it again with a different prompt
page-paint-mask = Paint a mask
page-mask-painted = Mask painted
page-change-mask = Change mask
page-leave-mode = Start a new picture instead
page-enter-hint = Enter to send, Shift+Enter for a new line
page-options-hint = -- for options, / for commands
page-unknown-words = { $count ->
    [one] The model doesn’t know this word: { $words }
   *[other] The model doesn’t know these words: { $words }
 }
page-prompt-over = { $count ->
    [one] { $count } character too many
   *[other] { $count } characters too many
 }
page-not-a-picture = “{ $name }” isn’t a picture that can be read. Send a PNG, JPEG, WebP, GIF or HEIC.
page-one-file = Only “{ $name }” was attached: a message takes one picture. To mix several, select pictures that are already made.
page-file-too-large = “{ $name }” is too large. Pictures can be up to { $megabytes } MiB.

## Suggestions while typing
page-suggestions = { $count ->
    [one] { $count } suggestion. Press Tab to accept it.
   *[other] { $count } suggestions. Use the up and down arrows to choose, Tab to accept.
 }
page-flag-ar = width to height: 1:1, 3:2, 2:3, 4:5, 16:9, 9:16
page-flag-count = how many pictures, 1 to 4
page-flag-seed = a number; the same seed makes the same picture
page-flag-no = what to leave out
page-flag-model = which model to use
page-flag-strength = 0 keeps the reference, 1 ignores it
page-command-imagine = make a picture
page-command-queue = your pictures in line
page-command-cancel = stop your latest picture
page-command-quota = your remaining credits
page-command-history = your pictures
page-command-settings = your defaults
page-command-privacy = export or delete your data
page-command-waitlist = join, leave or check the waitlist
page-command-help = what you can ask for
page-command-studio = for administrators

## Keyboard shortcuts
page-shortcut-send-keys = Enter
page-shortcut-send = send
page-shortcut-new-line-keys = Shift + Enter
page-shortcut-new-line = new line
page-shortcut-recall-keys = ↑
page-shortcut-recall = in an empty box: your last prompt
page-shortcut-focus-keys = /
page-shortcut-focus = go to the prompt box
page-shortcut-channel-keys = Alt + ↑ ↓
page-shortcut-channel = previous or next channel
page-shortcut-message-keys = ↑ ↓
page-shortcut-message = previous or next message
page-shortcut-ends-keys = Home / End
page-shortcut-ends = first or last message
page-shortcut-escape-keys = Esc
page-shortcut-escape = close a window or leave a mode
page-shortcut-help-keys = ?
page-shortcut-help = show these shortcuts

## Person
page-persona-button = You are { $name }, { $tier }. Switch person
page-persona-title = Who are you?
page-persona-text = In the playground you can be anyone. Each person has their own quota and place in line, so you can try tiers side by side. Each window keeps its own person.
page-persona-new = Add a person
page-persona-edit = Edit { $name }
page-persona-name = Name
page-persona-role = Role
page-persona-administrator = Administrator of this server
page-persona-is-administrator = administrator
page-persona-remove = Remove from this list
page-quota = { $left } of { $limit } credits left. Show quota
page-quota-of = / { $limit } credits
page-waitlist-position = Waitlist: { ORDINAL($position) }
page-invited-until = You’re invited in until { $time }
page-switch-persona = Switch person

## Lightbox
page-previous-picture = Previous picture
page-next-picture = Next picture
page-zoom = Zoom
page-picture-of = { $number } of { $count }

## Mask editor
page-mask-title = Paint over what should change
page-mask-canvas = Mask. Use the arrow keys to move the brush, Space to paint, and Z to undo the last stroke.
page-mask-brush-size = Brush size
page-mask-erase = Erase
page-mask-paint = Paint
page-mask-undo = Undo
page-mask-clear = Clear
page-mask-use = Use mask
page-mask-empty = You haven’t painted anything yet.

## Administrators' page
page-back-to-chat = Back to channels
page-as-of = as of { $time }
page-seconds = { NUMBER($seconds, maximumFractionDigits: 1) } s
page-percent = { NUMBER($percent, maximumFractionDigits: 1) }%
page-stat-queued = In line
page-stat-running = Being made
page-stat-backlog = Backlog
page-stat-workers = Workers
page-stat-waitlist = On the waitlist
page-chart-now = Pictures in line since you opened this page
page-chart-now-label = { $now } in line now, { $most } at most since you opened this page
page-chart-day-queue = Pictures in line over the last day
page-chart-day-queue-label = Pictures in line over the last day, { $most } at most in one tier
page-chart-day-waits = Median wait over the last day, in seconds
page-chart-day-waits-label = Median wait over the last day, { NUMBER($most, maximumFractionDigits: 1) } seconds at most
page-tiers = Tiers
page-column-tier = Tier
page-column-queued = In line
page-column-running = Being made
page-column-wait-median = Median wait
page-column-wait-p90 = 90th-percentile wait
page-column-accuracy = Estimate accuracy
page-column-doors = Doors
page-accuracy = Accuracy of the last day’s estimates
page-column-surge-age = Age of the demand
page-column-within-p90 = Within the range
page-column-width = Width (90th percentile ÷ median)
page-column-estimates = Estimates
page-no-estimates = No estimate has come due yet.
page-times = { NUMBER($times, maximumFractionDigits: 1) } ×
page-surge-age = { $age ->
    [new] under 20 s
    [young] under 2 min
   *[old] older
}
page-workers = Workers
page-column-worker = Worker
page-column-device = Device
page-column-models = Models
page-column-busy = Busy
page-column-seconds-per-picture = Time per picture
page-no-workers = No worker is running. Pictures wait until one starts.
page-model-fault = { $model } is not available since { $since }: { $reason } Next try: { $next }
page-model-fault-trying = { $model } is not available since { $since }: { $reason } It is being tried again.
page-doors = Doors
page-doors-server = Overrides for
page-doors-this-playground = this playground
page-doors-all-servers = all servers
page-column-door = Door
page-column-door-now = Now
page-column-door-default = Default
page-column-door-override = Override
page-column-door-other-overrides = Other overrides
page-column-door-wait = Predicted wait
page-door-imagine = Making pictures
page-door-edit = Editing
page-door-vary = Variations
page-door-upscale = Upscaling
page-door-blend = Blending
page-door-private = Private results
page-door-everything = The whole server
page-door-sign-ups = New members
page-door-select = Doors for { $door }
page-door-set = { $door }: { $state }
page-door-usual = default
page-door-open = open
page-door-waitlist = waitlist
page-door-closed = closed
page-door-auto = automatic
page-door-resolved = { $set } ({ $now })
page-door-degraded = { $state } · fewer steps

## Sign-in
page-sign-in-title = Sign in
page-sign-in-text = Enter the operator’s secret. It’s in the file “playground-secret” in Atelier’s data folder.
page-sign-in-secret = Secret
page-sign-in = Sign in
page-sign-in-wrong = That isn’t the secret.
page-sign-in-too-many = Too many wrong secrets were tried. Please wait a little.
page-sign-in-doors = Sign in as the operator to set the doors of other servers
page-sign-out = Sign out
