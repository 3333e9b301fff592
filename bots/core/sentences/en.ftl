## Times
duration-seconds = { $seconds } s
duration-minutes = { $minutes } min
duration-hours = { $minutes ->
    [0] { $hours } h
   *[other] { $hours } h { $minutes } min
 }
duration-days = { $days ->
    [one] 1 day
   *[other] { $days } days
 }

## A job's message
state-queued = { $position ->
    [1] Next in line
   *[other] { ORDINAL($position) } in line
 }
state-queued-estimate = { $position ->
    [1] Next in line, about { $wait }
   *[other] { ORDINAL($position) } in line, about { $wait }
 }
state-queued-range = { $position ->
    [1] Next in line, about { $wait } to { $longest }
   *[other] { ORDINAL($position) } in line, about { $wait } to { $longest }
 }
state-queued-unknown = In line
state-queued-no-worker = In line. No worker is up at the moment; your picture is kept and will be made as soon as one is.
degraded = { $count ->
    [1] Many are asking at the moment, so this picture is made smaller and quicker than usual.
   *[other] Many are asking at the moment, so you get one picture instead of { $count }, smaller and quicker than usual.
 }
state-running = Drawing
state-running-steps = Drawing, step { $step } of { $steps }
state-loading = Getting the model ready
state-finishing = Finishing
state-delivering = Ready, on its way to you
state-done = { $count ->
    [one] Done in { $took }
   *[other] { $count } pictures, done in { $took }
 }
state-done-untimed = Done
state-deleted = These pictures were deleted.
state-cancelled = Cancelled. Nothing was charged.
invitation-stands = Your invitation stands: you can ask again.
state-degraded = Demand is high: this picture is made with { $steps } steps at { $width } × { $height }.
title-edit = Edit: { $prompt }
title-vary = Variation of: { $prompt }
title-upscale = Larger: { $prompt }
title-blend = Blend: { $prompt }
title-untitled = a picture
alt-picture = Picture made by AI: { $prompt }
credits-used = { $credits ->
    [one] 1 credit
   *[other] { $credits } credits
 }

## Buttons
button-cancel = Cancel
button-vary = Vary
button-vary-n = Vary { $index }
button-upscale = Upscale
button-upscale-n = Upscale { $index }
button-edit = Edit
button-edit-n = Edit { $index }
button-reroll = Again
button-details = Details
button-delete = Delete
button-report = Report
button-undo = Undo
button-join-waitlist = Join the waitlist
button-confirm-forget = Delete everything

## What was typed cannot be understood
prompt-empty = Say what the picture should show, for example: a red house by the sea.
prompt-too-long = The prompt has { $length } characters; please keep it under { $limit }.
unknown-flag = There is no flag { $flag }. These work: { $known }.
flag-needs-value = { $flag } needs a value behind it.
bad-aspect = “{ $value }” is no aspect ratio. Choose one of { $known }.
bad-count = “{ $value }” is no number of pictures. Choose 1 to { $limit }.
bad-seed = “{ $value }” is no seed. Use a whole number from 0 to { $limit }, or leave it out.
bad-strength = “{ $value }” is no strength. Use a number from 0 (the same picture) to 1 (a new one).
bad-factor = A picture can be made 2 or 4 times larger.
bad-language = “{ $value }” is no language I speak. Choose one of { $known }.
bad-setting = “{ $value }” is no setting. Write name=value with one of: { $known }.
bad-tier = “{ $value }” is no tier. Choose one of { $known }.
bad-state = “{ $value }” is no state for doors. Choose one of { $known }.
bad-credits = “{ $value }” is no number of credits.
unknown-command = There is no “{ $word }” here. Try one of: { $known }.
needs-picture = Add a picture, or reply to one of mine.
needs-role = Name a role and a tier, for example: studio role @Patrons plus.
needs-member = Name a member.
blend-needs-more = Blending needs two to four pictures.

## Files
not-a-picture = That file is not a picture I can read. Send a PNG, JPEG or WebP.
picture-too-large = That picture is too large. Send one under { $megabytes } MB and { $megapixels } megapixels, no side longer than { NUMBER($side) } pixels.
file-not-allowed = I can only read files that were sent here, not links to other places.
file-gone = That file is no longer there. Please send it again.

## Refusals; nothing was charged
refusal-title = Not now
blocked = The administrators of this server have blocked you from making pictures.
doors-closed = The studio is closed for { $tier } at the moment. Please come back later.
doors-waitlist = { $tier } members are let in from a waitlist at the moment. Join it and you will be told when it is your turn.
doors-elsewhere = Doors of other servers are set on the studio's own machine, or with `atelier doors`.
sign-ups-suspended = New { $tier } members cannot be taken in at the moment. Join the waitlist and you will be told when it is your turn.
feature-waitlist = { $feature ->
    [edit] Editing is
    [vary] Variations are
    [upscale] Upscaling is
    [blend] Blending is
    [private] Private results are
   *[other] This is
 } open by waitlist at the moment. Join it and you will be told when it is your turn.
feature-closed = { $feature ->
    [edit] Editing is
    [vary] Variations are
    [upscale] Upscaling is
    [blend] Blending is
    [private] Private results are
   *[other] That is
 } closed at the moment. Please come back later.
feature-not-in-tier = { $feature ->
    [edit] Editing
    [vary] Variations
    [upscale] Upscaling
    [blend] Blending
    [private] Private results
   *[other] That
 } { $feature ->
    [vary] come
    [private] come
   *[other] comes
 } with { $needs }; you are on { $tier }.
feature-not-yet = { $feature ->
    [edit] Editing
    [vary] Variations
    [upscale] Upscaling
    [blend] Blending
    [private] Private results
   *[other] That
 } will open for { $tier } on { $opens }.
too-many-pictures = { $limit ->
    [one] Your tier makes one picture at a time; you asked for { $count }.
   *[other] Your tier makes up to { $limit } pictures at a time; you asked for { $count }.
 }
too-large = That would be { $megapixels } megapixels; your limit here is { $limit }.
waiting-full = { $limit ->
    [one] You already have a picture waiting. It will be made before you can ask for the next.
   *[other] You already have { $limit } pictures waiting. One has to be made before you can ask for the next.
 }
quota-too-small = This needs { $cost } credits at once, more than your quota ever has. Ask for fewer or smaller pictures.
quota-spent = { $left ->
    [0] Your quota is used up; your next credit is back in { $returns }.
   *[other] This needs { $cost } { $cost ->
    [one] credit
   *[other] credits
 } and you have { $left } left; the next is back in { $returns }.
 }
quota-too-small = This needs { $cost } credits, more than your whole quota of { $limit }. Ask for fewer or smaller pictures.
pool-spent = Your team's shared credits are used up; the next are back in { $returns }.
forbidden-words = This server does not allow “{ $word }” in prompts.
unsafe = This server does not allow pictures like that.
unknown-model = There is no model “{ $model }” here. Choose one of: { $models }.
unknown-picture = I do not have that picture any more.
unsupported = The model { $model } cannot do that.
channel-not-allowed = Pictures are not made in this channel. Try { $channels }.
not-yours = Only the one who asked for it, or a moderator, can do that.
no-such-job = I do not know that picture's order.
nothing-to-cancel = You have nothing in line.
already-ended = That one is already finished.
cancelled = Cancelled. Nothing was charged.
cancelling = Stopping it now. Nothing will be charged.
deleted = Deleted.
reported = Thank you. The administrators of this server will see your report.
only-administrators = Only administrators of this server can do that.
unavailable = The studio cannot be reached at the moment. Nothing was charged; please try again in a minute.
private-message-only = Private results are not possible here.
no-parent = This picture was not made from another one.

## Why a job failed; nothing was charged
failed-prefix = That did not work. { $why } Nothing was charged.
imaging-failed = Something went wrong while drawing.
model-unavailable = The model could not be loaded; the operator has been told why.
out-of-memory = The picture was too large for the graphics card. Try a smaller one.
render-timed-out = It took too long.
engine-stopped = The worker stopped.
too-many-attempts = Several workers failed at it.
worker-lost = The worker that was making it was lost, more than once.
pictures-lost = The finished pictures could not be found any more.
delivery-failed = It could not be posted after many tries.
lost-right = Your role changed while you waited.
message-gone = The message it belonged to is gone.
channel-gone = The channel it belonged to is gone.
no-permission = I am not allowed to post there any more.
token-expired = It took too long to be shown to you alone, and your direct messages are closed.
shown-directly = Discord shows a private answer for 15 minutes, so this one comes to you directly. To go on with it, use /history in the server.
undeliverable = It could not be posted.

## Queue, quota, history
queue-empty = You have nothing in line.
queue-title = Your pictures in line
queue-row = { $short }: { $prompt }
quota-title = Your quota
quota-tier = Tier
quota-left = Left
quota-left-value = { $left } of { $limit } credits
quota-held = Reserved
quota-held-value = { $held } for pictures being made
quota-window = Counted over
quota-returns = Comes back
quota-returns-value = { $credits } in { $wait }
quota-returns-none = all of it is there
quota-pool = Shared by the team
quota-pool-value = { $left } credits
quota-relaxed = Past it, pictures are still made, only slower.
quota-summary = You have { $left } of { $limit } credits left.
history-title = Your pictures
history-empty = You have made no pictures yet. Try: imagine a red house by the sea.
details-title = Details
details-prompt = Prompt
details-negative = Without
details-seed = Seed
details-model = Model
details-size = Size
details-steps = Steps
details-strength = Strength
details-took = Time
details-credits = Credits
details-short = Order
details-default = the model's default
undo-shown = Back to the picture before.

## Settings
settings-title = Your defaults
settings-none = the studio's own
settings-aspect = Aspect
settings-count = Count
settings-model = Model
settings-language = Language
settings-saved = Saved.

## Privacy
privacy-export = Here is everything I keep about you: your prompts, settings, history and pictures.
privacy-confirm = This deletes all your pictures, prompts and history here, for good. What you have used of your quota stays counted. Are you sure?
privacy-deleted = { $count ->
    [0] Your prompts and history are deleted.
    [one] One picture and your prompts and history are deleted.
   *[other] { $count } pictures and your prompts and history are deleted.
 }

## Waitlist
waitlist-joined = You are { ORDINAL($position) } on the waitlist. You will be told when it is your turn; there is nothing else to do.
waitlist-status = You are { ORDINAL($position) } on the waitlist.
waitlist-invited = It is your turn: ask for a picture within the next { $left }, and it is let in.
waitlist-not-on = You are not on the waitlist.
waitlist-not-needed = The doors are open for you; there is no need to wait.
waitlist-left = You have left the waitlist.
waitlist-your-turn = It is your turn! Ask for a picture within the next { $left }, and it is let in.

## Help
help-title = What you can ask
help-intro = Say what you want to see, in English or French. I will tell you your place in line, draw, and post it here.
help-imagine = Make a picture
help-imagine-value = imagine a small red house left of a green tree, at night
help-flags = Flags
help-flags-value = --ar 16:9 · --count 2 · --seed 7 · --no trees · --strength 0.5
help-edit = Change a picture
help-edit-value = reply to it and say what to change: make the house blue
help-more = More of it
help-more-value = the buttons below a picture: vary, upscale, again
help-account = Yours
help-account-value = queue · cancel · quota · history · settings · privacy · waitlist

## Administration
studio-role-set = The role { $role } now gives { $tier }.
studio-role-removed = The role { $role } gives no tier any more.
studio-roles-title = Roles and tiers
studio-roles-empty = No role gives a tier yet. Everyone is on { $tier }.
studio-doors-title = Doors
studio-doors-row = { $now ->
    [open] open
    [waitlist] waitlist
   *[closed] closed
 } (set to { $set })
studio-doors-row-wait = { $now ->
    [open] open
    [waitlist] waitlist
   *[closed] closed
 } (set to { $set }), predicted wait { $wait }
studio-doors-name = { $door ->
    [imagine] making pictures
    [edit] editing
    [vary] variations
    [upscale] upscaling
    [blend] blending
    [private] private results
    [sign-ups] new members
   *[other] everything
 }
studio-doors-apart = { $set ->
    [open] open
    [waitlist] waitlist
    [auto] automatic
   *[closed] closed
 }
studio-doors-set = Doors for { $tier } are set to { $state }.
studio-capacity-title = The studio now
studio-capacity-tier = { $queued } in line, { $running } being drawn
studio-capacity-tier-wait = { $queued } in line, { $running } being drawn; wait about { $p50 }, { $p90 } for the slowest tenth
studio-capacity-workers = Workers
studio-capacity-worker = { $name } on { $device }: { $running } of { $slots } at work
studio-capacity-no-workers = none is up
studio-capacity-waitlist = Waitlist
studio-capacity-waitlist-value = { $count ->
    [one] 1 member
   *[other] { $count } members
 }
studio-capacity-calibration = Served within the longest wait told
studio-blocked = { $member } is blocked.
studio-unblocked = { $member } may make pictures again.
studio-words-title = Forbidden words
studio-words-none = No words are forbidden.
studio-words-saved = { $count ->
    [0] No words are forbidden any more.
    [one] One word is forbidden.
   *[other] { $count } words are forbidden.
 }
studio-words-trial-hit = That would be refused because of “{ $word }”.
studio-words-trial-pass = That would be allowed.
studio-settings-title = Settings of this server
studio-settings-saved = Saved.
studio-settings-default = default
studio-audit-title = What administrators did
studio-audit-empty = Nothing yet.
studio-granted = { $member } was given { $credits } credits.
studio-chart-queue = In line
studio-chart-waits = Typical wait, in minutes
studio-chart-workers = { $count ->
    [one] 1 worker
   *[other] { $count } workers
 }

## Names
tier-free = Free
tier-plus = Plus
tier-team = Team
tier-pro = Pro

## Discord
discord-form-edit = Edit picture
discord-form-instruction = What should change?
discord-form-mask = Mask (optional)
discord-form-mask-about = A picture of the same shape: white where it may change.
discord-form-reroll = Once more
discord-form-prompt = Prompt
discord-form-report = Report picture
discord-form-words = What is wrong with it?
discord-command-imagine = Make pictures from a prompt
discord-command-edit = Change a picture by an instruction
discord-command-vary = Make pictures like this one
discord-command-upscale = Make a picture larger
discord-command-blend = Make two to four pictures into one
discord-command-queue = Your pictures in line, and how long they will take
discord-command-cancel = Stop one of your pictures
discord-command-quota = What is left of your quota, and when it comes back
discord-command-history = Your pictures, newest first
discord-command-settings = Your own defaults
discord-command-help = What you can ask, with examples
discord-command-privacy = Your data here
discord-command-privacy-export = Get everything kept about you as a file
discord-command-privacy-delete = Delete your pictures, prompts and history
discord-command-waitlist = Wait for the doors to open
discord-command-waitlist-join = Join the waitlist
discord-command-waitlist-leave = Leave the waitlist
discord-command-waitlist-status = Where you stand on the waitlist
discord-command-studio = Run the studio of this server
discord-command-studio-role = A role gives a tier
discord-command-studio-roles = Which role gives which tier
discord-command-studio-doors = Open or close a tier's doors
discord-command-studio-capacity = Queue, waits and workers now
discord-command-studio-block = Block a member, or let them in again
discord-command-studio-grant = Give a member credits, or take some
discord-command-studio-words = Words that prompts may not have
discord-command-studio-settings = Settings of this server
discord-command-studio-audit = What administrators did
discord-option-prompt = What the picture should show
discord-option-aspect = Shape: width to height
discord-option-count = How many pictures
discord-option-model = The model that draws
discord-option-seed = The same seed gives the same picture
discord-option-negative = What should not be in it
discord-option-reference = A picture to stay near to
discord-option-strength = 0 is the same picture, 1 a new one
discord-option-private = For your eyes only
discord-option-image = The picture
discord-option-instruction = What should change
discord-option-mask = White where it may change
discord-option-factor = How many times larger
discord-option-image1 = The first picture
discord-option-image2 = The second picture
discord-option-image3 = The third picture
discord-option-image4 = The fourth picture
discord-option-job = Which one; your newest where left out
discord-option-member = Who
discord-option-role = The role
discord-option-tier = The tier
discord-option-state = Open, waitlist, closed, or auto: it follows the load
discord-option-blocked = Yes blocks, no lets in again
discord-option-credits = How many; a negative number takes some
discord-option-why = Why, for the record
discord-option-words = The words, with blanks between; a dash for none
discord-option-trial = A prompt to try the words on
discord-option-language = Language
discord-option-default_tier = Tier of members without a tier's role
discord-option-channel = A channel where pictures are made; name it again to take it off the list
discord-option-nsfw = Pictures that may be unfit: refused, hidden, or shown
discord-option-largest_megapixels = Largest picture, in megapixels
discord-option-visibility = Whether results are for all or for the one who asked
discord-command-imagine-name = imagine
discord-command-edit-name = edit
discord-command-vary-name = vary
discord-command-upscale-name = upscale
discord-command-blend-name = blend
discord-command-queue-name = queue
discord-command-cancel-name = cancel
discord-command-quota-name = quota
discord-command-history-name = history
discord-command-settings-name = settings
discord-command-help-name = help
discord-command-privacy-name = privacy
discord-command-privacy-export-name = export
discord-command-privacy-delete-name = delete
discord-command-waitlist-name = waitlist
discord-command-waitlist-join-name = join
discord-command-waitlist-leave-name = leave
discord-command-waitlist-status-name = status
discord-command-studio-name = studio
discord-command-studio-role-name = role
discord-command-studio-roles-name = roles
discord-command-studio-doors-name = doors
discord-command-studio-capacity-name = capacity
discord-command-studio-block-name = block
discord-command-studio-grant-name = grant
discord-command-studio-words-name = words
discord-command-studio-settings-name = settings
discord-command-studio-audit-name = audit
discord-command-edit-picture-name = Edit picture
discord-command-vary-picture-name = Vary picture
discord-command-upscale-picture-name = Upscale picture
discord-option-prompt-name = prompt
discord-option-aspect-name = aspect
discord-option-count-name = count
discord-option-model-name = model
discord-option-seed-name = seed
discord-option-negative-name = negative
discord-option-reference-name = reference
discord-option-strength-name = strength
discord-option-private-name = private
discord-option-image-name = image
discord-option-instruction-name = instruction
discord-option-mask-name = mask
discord-option-factor-name = factor
discord-option-image1-name = image1
discord-option-image2-name = image2
discord-option-image3-name = image3
discord-option-image4-name = image4
discord-option-job-name = job
discord-option-member-name = member
discord-option-role-name = role
discord-option-tier-name = tier
discord-option-state-name = state
discord-option-blocked-name = blocked
discord-option-credits-name = credits
discord-option-why-name = why
discord-option-words-name = words
discord-option-trial-name = trial
discord-option-language-name = language
discord-option-default_tier-name = default_tier
discord-option-channel-name = channel
discord-option-nsfw-name = nsfw
discord-option-largest_megapixels-name = largest_megapixels
discord-option-visibility-name = visibility

## Slack
slack-sure = Are you sure? This cannot be undone.
slack-no = No
slack-invite-me = I am not in this conversation, so I cannot post a picture here. Invite me with /invite @Atelier and ask again; nothing was charged.
slack-no-files = This workspace does not let apps upload files; please ask an administrator.
slack-status = is drawing…
slack-suggestions = Try one of these
slack-suggestion-1 = a small red house left of a green tree, at night
slack-suggestion-2 = a blue boat on the sea at sunset --ar 16:9
slack-suggestion-3 = two yellow balloons above a meadow --count 2
slack-compose = New picture
slack-make = Make it
slack-prompt = What should the picture show?
slack-prompt-hint = a red house by the sea, at sunset
slack-negative = What should not be in it?
slack-reference = A picture to start from
slack-where = Where should I post it?
slack-instruction = What should change?
slack-edit-hint = make the house blue
slack-mask = Only here: a picture that is white where it may change
slack-report-why = What is wrong with it?
slack-admin = For administrators
slack-admin-words = /atelier studio role @group plus · studio roles · studio doors free closed · studio capacity · studio block @member · studio words · studio settings · studio audit
slack-doors-open = Open
slack-doors-waitlist = From the waitlist
slack-doors-closed = Closed
slack-doors-auto = Open
