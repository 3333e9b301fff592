## A job’s message
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
state-queued-behind = { $place ->
    [1] Next among { $name }; { $tier ->
        [free] paid members go first
       *[other] higher tiers go first
    }: about { $wait }
   *[other] { ORDINAL($place) } among { $name }; { $tier ->
        [free] paid members go first
       *[other] higher tiers go first
    }: about { $wait }
 }
state-queued-behind-range = { $place ->
    [1] Next among { $name }; { $tier ->
        [free] paid members go first
       *[other] higher tiers go first
    }: about { $wait } to { $longest }
   *[other] { ORDINAL($place) } among { $name }; { $tier ->
        [free] paid members go first
       *[other] higher tiers go first
    }: about { $wait } to { $longest }
 }
state-queued-grew = { $cause ->
    [paid] Many paid orders came in: now about { $wait }, was { $before }.
    [fleet] Fewer workers are running: now about { $wait }, was { $before }.
    [demand] Many orders came in: now about { $wait }, was { $before }.
   *[other] It takes longer than expected: now about { $wait }, was { $before }.
 }
state-queued-unknown = In line
state-queued-degraded = { $count ->
    [1] Demand is high right now, so this picture will be smaller and made in fewer steps than usual.
   *[other] Demand is high right now, so you’ll get one picture instead of { $count }, smaller and made in fewer steps than usual.
 }
state-starting = Starting soon
state-running = Drawing
state-running-steps = Drawing, step { $step } of { $steps }
state-paused = Paused for a member of a higher tier, { $step } of { $steps } steps done
state-paused-relaxed = Paused for a picture with priority, { $step } of { $steps } steps done
state-loading = Loading the model
state-finishing = Finishing up
state-done = { $count ->
    [one] Done in { $took }
   *[other] { $count } pictures, done in { $took }
 }
state-done-untimed = Done
state-deleted = These pictures were deleted.
state-cancelled = Cancelled. Nothing was charged.
state-invitation-valid = Your invitation is still valid, so you can try again.
title-edit = Edit: { $prompt }
title-vary = Variation of: { $prompt }
title-upscale = Upscaled: { $prompt }
title-blend = Blend: { $prompt }
title-untitled = Untitled picture
alt-picture = AI-generated picture: { $prompt }

## Buttons
button-cancel = Cancel
button-cancel-job = Cancel { $short }
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
button-report-keep = Keep
button-report-remove = Remove
button-report-block = Remove and block
button-report-show = Show picture
button-report-keep-n = Keep { $index }
button-report-remove-n = Remove { $index }
button-report-block-n = Remove and block { $index }
button-report-show-n = Show { $index }
button-undo = Undo
button-join-waitlist = Join the waitlist
button-edit-recent = Edit that picture
button-new-picture = New picture
button-draw-anyway = Draw it anyway
button-confirm-forget = Delete everything

## Input that can’t be understood
prompt-empty = Describe the picture you want, for example: a red house by the sea.
nothing-to-draw = I only speak in pictures, so nothing was drawn or charged. Describe one, for example: a red house by the sea. To change one of mine, reply to it with what should be different. Write “help” to see the rest.
nothing-changed = I haven’t cancelled, undone or deleted anything. Write “queue” to see what is in line, or “history” for your pictures.
several-wishes = That asks for two things, and I do one at a time, so I haven’t done anything yet. Please send them one by one: first “{ $first }”, then “{ $second }”.
prompt-too-long = Your prompt is { $length } characters long. The limit is { $limit }.
unknown-flag = I don’t recognize { $flag }. You can use { $known }.
ask-which = Should I change your last picture here (“{ $prompt }”), or make a new one?
ask-no-picture = That changes a picture, and you have no recent one here, so nothing has been drawn or charged. Reply to the picture you mean, or draw these words as a new one.
ask-unknown-words = The model { $model } draws { $things } things, and { $words } { $count ->
    [one] isn’t one of them
   *[other] aren’t among them
}. Nothing has been charged.
no-known-word = The model { $model } doesn’t know any of these words, so the picture would be random. It draws { $things } things. You can ask, for example, for { $examples }.
note-unknown-words = { $words } { $count ->
    [one] means
   *[other] mean
} nothing to the model { $model }.
note-unread = The model { $model } reads only the beginning of a prompt. It won’t see: “{ $words }”.
note-uploaded-edit = The model { $model } edits best what it drew itself. Other pictures may change in more places than you asked for.
question-expired = That question has expired. Please send your message again.
near-flag = I don’t recognize { $flag }. Did you mean { $meant }? You can use { $known }.
flag-needs-value = { $flag } needs a value after it.
bad-aspect = “{ $value }” isn’t a valid aspect ratio. Use any from 1:4 to 4:1, for example { $known }.
bad-count = “{ $value }” isn’t a valid number of pictures. Choose 1 to { $limit }.
bad-seed = “{ $value }” isn’t a valid seed. Use a whole number from 0 to { $limit }, or leave it out.
bad-strength = “{ $value }” isn’t a valid strength. Use a number from 0 (keep the picture) to 1 (start over).
bad-factor = Pictures can be upscaled 2 or 4 times.
bad-language = “{ $value }” isn’t a language I speak. Choose one of { $known }.
bad-setting = “{ $value }” isn’t a valid setting. Write name=value, with one of these names: { $known }.
bad-tier = “{ $value }” isn’t a tier. Choose one of { $known }.
bad-state = “{ $value }” isn’t a valid state for doors. Choose one of { $known }.
bad-credits = “{ $value }” isn’t a valid number of credits.
unknown-command = I don’t know the command “{ $word }”. Try one of these: { $known }.
delete-button = To delete a picture, press Delete below it.
privacy-choice = Write “privacy export” to get everything I store about you, or “privacy delete” to have it deleted.
needs-picture = Attach a picture, or reply to one of mine.
numbered-button = To enlarge or vary one picture of several, press its button below it, such as “Upscale 2” or “Vary 2”.
several-pictures = That message has { $count } pictures. Send me the one you mean.
needs-role = Name a role and a tier, for example: studio role @Patrons plus.
needs-member = Name a member.
blend-needs-more = A blend needs two to four pictures.
too-many-files = You sent { $count } pictures, and I can use up to { $limit }. Please choose which ones.

## Files
not-a-picture = I can’t read that file as a picture. Please send a PNG, JPEG, WebP or HEIC.
file-not-a-picture = I can’t read that file as a picture: { $name }. Please send only PNG, JPEG, WebP or HEIC files.
mask-empty =
    This mask marks nothing, so nothing would change. Paint white where the picture may change, and leave the rest black:
    ⬛⬛⬛⬛⬛
    ⬛⬜⬜⬛⬛
    ⬛⬜⬜⬛⬛
    ⬛⬛⬛⬛⬛
mask-unclear =
    I can’t tell what this mask marks. Paint white where the picture may change, and leave the rest black:
    ⬛⬛⬛⬛⬛
    ⬛⬜⬜⬛⬛
    ⬛⬜⬜⬛⬛
    ⬛⬛⬛⬛⬛
    The picture itself with that part erased, or painted over in red, works too.
picture-too-large = That picture is too large. Files can have up to { $megabytes } MiB, { NUMBER($side) } pixels a side, and { $photo } megapixels as PNG, WebP, AVIF or HEIC, { $jpeg } as JPEG, { $megapixels } in other formats.
file-not-allowed = I can only open files uploaded here, not links to other sites.
file-gone = That file is no longer available. Please upload it again.
file-not-sent = Discord didn’t accept the file. It may be too large for this server.

## Refusals. Nothing was charged.
refusal-title = Not this time
blocked = An administrator of this server has blocked you from making pictures.
banned = You can’t use this bot.
server-banned = This server can’t use this bot.
server-not-approved = This bot’s operator hasn’t approved this server yet.
tier-beyond-limit = This server can’t give { $tier }. The highest tier that the bot’s operator allows here is { $needs }.
grant-beyond-limit = { $limit ->
    [0] This server can’t grant credits. Ask the bot’s operator to allow it.
   *[other] This server can grant { $limit } credits in 30 days, and { $left } of them are left.
 }
doors-closed = The studio is closed to { $tier } members right now. Please try again later.
doors-waitlist = { $tier } members join through a waitlist right now. Join it, and I’ll message you when it’s your turn.
doors-elsewhere = The doors of other servers can only be set on the machine that runs the studio: open this page there, or use `atelier doors`.
sign-ups-suspended = The studio isn’t taking new { $tier } members right now. Join the waitlist, and I’ll message you when it’s your turn.
feature-waitlist = { $feature ->
    [edit] Editing is
    [vary] Variations are
    [upscale] Upscaling is
    [blend] Blending is
    [private] Private results are
   *[other] This feature is
 } available through a waitlist right now. Join it, and I’ll message you when it’s your turn.
feature-closed = { $feature ->
    [edit] Editing is
    [vary] Variations are
    [upscale] Upscaling is
    [blend] Blending is
    [private] Private results are
   *[other] This feature is
 } closed right now. Please try again later.
feature-not-in-tier = { $feature ->
    [edit] Editing is
    [vary] Variations are
    [upscale] Upscaling is
    [blend] Blending is
    [private] Private results are
   *[other] This feature is
 } available from { $needs } up. You’re on { $tier }.
feature-not-yet = { $feature ->
    [edit] Editing opens
    [vary] Variations open
    [upscale] Upscaling opens
    [blend] Blending opens
    [private] Private results open
   *[other] This feature opens
 } to { $tier } members on { $opens }.
too-many-pictures = { $limit ->
    [one] Your tier makes one picture at a time, and you asked for { $count }.
   *[other] Your tier makes up to { $limit } pictures at a time, and you asked for { $count }.
 }
too-many-uploads = Too many pictures are being uploaded right now. Please try again in a minute.
export-running = Your last export is still being sent. Please wait until it’s complete.
rate-limited = { $seconds ->
    [one] You’re sending requests too quickly. Please wait a second.
   *[other] You’re sending requests too quickly. Please wait { $seconds } seconds.
 }
side-too-long = That would be { NUMBER($side) } pixels on one side. The limit is { NUMBER($limit) }.
too-large = That would be { $megapixels } megapixels. Your limit here is { $limit }.
waiting-full = { $limit ->
    [one] You already have a picture in line. You can ask for another once it starts.
   *[other] You already have { $limit } pictures in line. You can ask for another once one of them starts.
 }
quota-spent = { $left ->
    [0] You’ve used up your credits. You can make this picture in { $returns }.
   *[other] This costs { $cost } { $cost ->
    [one] credit
   *[other] credits
 } and you have { $left } left. You can make it in { $returns }.
 }
quota-too-small = This costs { $cost } credits, and your quota is { $limit }. Ask for fewer or smaller pictures.
pool-spent = { $left ->
    [0] Your team has used up its shared credits. You can make this picture in { $returns }.
   *[other] This costs { $cost } { $cost ->
    [one] credit
   *[other] credits
 } and your team has { $left } shared credits left. You can make it in { $returns }.
 }
pool-too-small = This costs { $cost } credits, and your team shares { $limit }. Ask for fewer or smaller pictures.
forbidden-words = This server doesn’t allow “{ $word }” in prompts.
unsafe = This server doesn’t allow pictures like that.
unknown-model = There’s no model called “{ $model }” here right now. Available: { $models }.
no-model = The model “{ $model }” isn’t available right now, and neither is any other. Please try again later.
model-not-in-tier = The model { $model } is available from { $needs } up.
model-closed = The model { $model } is not available to you.
unknown-picture = I can’t find that picture any more.
unsupported = The model { $model } can’t do that.
parameter-unsupported =
 { $parameter ->
    [negative] The model { $model } takes no negative prompt.
    [reference] The model { $model } takes no reference picture.
   *[other] The model { $model } has no strength setting.
 }
channel-not-allowed = Pictures can’t be made in this channel. Try { $channels }.
not-yours = Only the member who ordered it or a moderator can do that.
no-such-job = I can’t find that order.
nothing-to-cancel = You have nothing in line.
cancel-limited = You’ve cancelled { $limit } orders in the last hour after they had started. This one will be finished.
already-ended = That order has already ended.
cancelled = Cancelled. Nothing was charged.
cancelling = Stopping. You won’t be charged.
deleted = Deleted.
reported = Thank you. The moderators of this server can see your report.
reported-to-operator = Thank you. Whoever operates this bot can see your report.
only-administrators = Only administrators of this server can do that.
only-moderators = Only moderators of this server can do that.
no-such-report = That report is closed already.
report-kept = The picture stays. The report is closed.
report-removed = The picture is removed. Its owner will be told.
report-blocked = The picture is removed, and { $member } is blocked. The owner will be told.
report-owner-notice = A moderator removed your picture “{ $prompt }” after a report.
reports-title = Open reports
reports-empty = There are no open reports.
report-heading = { $number } · “{ $prompt }” by { $member }, reported { $age } ago
report-no-reason = No reason was given.
unavailable = I can’t reach the studio right now. Nothing was charged. Please try again in a minute.
private-message-only = Private results can’t be shown here.
no-parent = This picture wasn’t made from another one.

## Why a job failed. Nothing was charged.
failed-prefix = That didn’t work. { $why } Nothing was charged.
imaging-failed = Something went wrong while drawing.
model-unavailable = The model couldn’t be loaded. The reason is in the operator’s log.
out-of-memory = The picture was too large for the graphics card. Try a smaller one.
render-timed-out = It took too long.
engine-stopped = The worker stopped.
server-unavailable = The server that runs this model can’t be reached or is overloaded.
server-refused = The server that runs this model refused the order. The reason is in the operator’s log.
worker-lost = The worker drawing it stopped responding, more than once.
pictures-lost = The finished pictures could no longer be found.
delivery-failed = It couldn’t be posted after many attempts.
lost-right = Your role changed while you were waiting.
message-gone = The message it belonged to was deleted.
channel-gone = The channel it belonged to was deleted.
channel-archived = The channel it belonged to is archived.
no-permission = I’m not allowed to post there any more.
token-expired = It took too long to show it only to you here, and your direct messages are closed.
shown-directly = Discord keeps a private answer open for 15 minutes, so I’m sending this one directly. To go on with it, use /history in the server.
undeliverable = It couldn’t be posted.

## Queue, quota, history
queue-empty = You have nothing in line.
queue-title = Your pictures in line
queue-cancelling = Nothing has been cancelled yet. Press the button of the one to cancel.
queue-row = { $short }: { $prompt }
quota-title = Your quota
quota-tier = Tier
quota-left = Remaining
quota-left-value = { $left } of { $limit } credits
quota-held = Reserved
quota-held-value = { $held } for pictures in progress
quota-window = Period
quota-returns = Coming back
quota-returns-value = { $credits } in { $wait }
quota-returns-none = nothing to come back
quota-pool = Shared by your team
quota-pool-value = { $left } credits
quota-relaxed = You can still make pictures, at a lower priority.
quota-summary = You have { $left } of { $limit } credits left.
history-title = Your pictures
history-empty = You haven’t made any pictures yet. Try: imagine a red house by the sea.
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
details-order = To make it again
details-steps-default = model default
undo-shown = Here’s the previous picture.

## Settings
settings-title = Your defaults
settings-none = studio default
settings-aspect = Aspect ratio
settings-count = Count
settings-model = Model
settings-language = Language
settings-saved = Saved.

## Privacy
privacy-export = Here’s everything I store about you: your prompts, settings, history and pictures. If it’s too large for one file, more files follow.
privacy-export-part = File { $number } of your data. More files follow.
privacy-export-last = File { $number } of your data, the last one. If a name ends in “.part1-of-2”, join the parts to get the file.
privacy-export-stopped = I couldn’t send the rest of your data after file { $number }. Please ask for it again in a few minutes.
privacy-confirm = This permanently deletes all your pictures, prompts and history on this server. The credits you’ve used stay used. Are you sure?
privacy-deleted = { $count ->
    [0] Your prompts and history have been deleted.
    [one] One picture, your prompts and your history have been deleted.
   *[other] { $count } pictures, your prompts and your history have been deleted.
 } Messages with your pictures are being removed; your data export lists any that can’t be.

## Waitlist
waitlist-joined = You’re { ORDINAL($position) } on the waitlist. I’ll message you when it’s your turn.
waitlist-status = You’re { ORDINAL($position) } on the waitlist.
waitlist-invited = It’s your turn. Ask for a picture within { $left } to use your invitation.
waitlist-not-on = You’re not on the waitlist.
waitlist-not-needed = You don’t need the waitlist: you can make pictures now.
waitlist-left = You’ve left the waitlist.
waitlist-your-turn = It’s your turn! Ask for a picture within { $left } to use your invitation.

## Help
help-title = What you can do
help-intro = Describe what you want to see, in English or French. I’ll tell you your place in line, draw it, and post it here.
help-imagine = Make a picture
help-imagine-value = imagine a small red house left of a green tree, at night
help-imagine-value-discord = /imagine a small red house left of a green tree, at night — or mention me with the same words
help-imagine-value-slack = mention me with what you want to see, or /imagine a small red house left of a green tree, at night
help-flags = Options
help-flags-value = --ar 16:9 · --count 2 · --seed 7 · --no trees · --strength 0.5
help-edit = Change a picture
help-edit-value = reply to it with the change: make the house blue
help-more = Go further
help-more-value = use the buttons below a picture: Vary, Upscale, Again
help-account = Your account
help-account-value = queue · cancel · quota · history · settings · privacy · waitlist
help-account-value-discord = /queue · /cancel · /quota · /history · /settings · /privacy · /waitlist
help-account-value-slack = /atelier queue · /atelier cancel · /atelier quota · /atelier history · /atelier settings · /atelier privacy · /atelier waitlist — or mention me with the word alone

## Administration
studio-role-set = Members with the role { $role } are now on { $tier }.
studio-role-removed = The role { $role } no longer gives a tier.
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
    [imagine] Making pictures
    [edit] Editing
    [vary] Variations
    [upscale] Upscaling
    [blend] Blending
    [private] Private results
    [sign-ups] New members
   *[other] Everything
 }
studio-doors-override = { $set ->
    [open] open
    [waitlist] waitlist
    [auto] automatic
   *[closed] closed
 }
studio-doors-set = Doors for { $tier } are now set to { $state }.
studio-capacity-title = Studio capacity
studio-capacity-tier = { $queued } in line, { $running } running
studio-capacity-tier-wait = { $queued } in line, { $running } running. Median wait { $p50 }, 90th percentile { $p90 }
studio-capacity-workers = Workers
studio-capacity-worker = { $name } on { $device }: { $running } of { $slots } slots busy
studio-capacity-no-workers = none online
studio-capacity-faults = Models not available
studio-capacity-fault = { $model } on { $worker } since { $since }: { $reason } Next try in { $next }.
studio-capacity-fault-trying = { $model } on { $worker } since { $since }: { $reason } It is being tried again.
studio-capacity-faults-more = and { $count } more
studio-capacity-waitlist = Waitlist
studio-capacity-waitlist-value = { $count ->
    [one] 1 member
   *[other] { $count } members
 }
studio-capacity-calibration = Estimate accuracy
studio-capacity-calibration-value = { $tier } { $share }
studio-blocked = { $member } is now blocked.
studio-unblocked = { $member } can make pictures again.
studio-words-title = Forbidden words
studio-words-none = No words are forbidden.
studio-words-saved = { $count ->
    [0] No words are forbidden any more.
    [one] One word is now forbidden.
   *[other] { $count } words are now forbidden.
 }
studio-words-trial-hit = That prompt would be refused because of “{ $word }”.
studio-words-trial-pass = That prompt would be accepted.
studio-settings-title = Server settings
studio-settings-saved = Saved.
studio-settings-default = default
studio-audit-title = Administrator activity
studio-audit-empty = No activity yet.
studio-audit-row = { $ago } ago · { $actor }
studio-granted = { $credits ->
    [one] { $member } was granted 1 credit.
   *[other] { $member } was granted { $credits } credits.
 }
studio-revoked = { $credits ->
    [one] 1 credit was taken from { $member }.
   *[other] { $credits } credits were taken from { $member }.
 }
studio-chart-queue = In line
studio-chart-waits = Median wait, in minutes
studio-chart-workers = { $count ->
    [0] no workers online
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
discord-form-mask-about = White on black where changes are allowed; or the picture with that part erased or painted red.
discord-form-reroll = Make it again
discord-form-prompt = Prompt
discord-form-report = Report picture
discord-form-words = What’s wrong with it?
discord-command-imagine = Make pictures from a prompt
discord-command-edit = Edit a picture with an instruction
discord-command-vary = Make variations of a picture
discord-command-upscale = Make a picture larger
discord-command-blend = Blend two to four pictures into one
discord-command-queue = Your pictures in line, with estimated waits
discord-command-cancel = Cancel one of your pictures
discord-command-quota = Your remaining credits, and when they come back
discord-command-history = Your pictures, newest first
discord-command-settings = Your defaults
discord-command-help = What you can do, with examples
discord-command-privacy = Your data on this server
discord-command-privacy-export = Download everything stored about you
discord-command-privacy-delete = Delete your pictures, prompts and history
discord-command-waitlist = Join, leave or check the waitlist
discord-command-waitlist-join = Join the waitlist
discord-command-waitlist-leave = Leave the waitlist
discord-command-waitlist-status = Your place on the waitlist
discord-command-studio = Manage the studio on this server
discord-command-studio-role = Set the tier that a role gives
discord-command-studio-roles = List roles and their tiers
discord-command-studio-doors = Show or set who can make pictures
discord-command-studio-capacity = Queue, waits and workers right now
discord-command-studio-block = Block or unblock a member
discord-command-studio-grant = Grant or take credits
discord-command-studio-words = Words that prompts must not contain
discord-command-studio-settings = Server settings
discord-command-studio-audit = Recent administrator activity
discord-command-studio-reports = Open reports, with buttons to keep or remove
discord-option-prompt = What the picture should show
discord-option-aspect = Width to height
discord-option-count = Number of pictures
discord-option-model = Model to use
discord-option-seed = The same seed gives the same picture
discord-option-negative = What to leave out
discord-option-reference = A picture to start from
discord-option-strength = From 0 (keep the picture) to 1 (start over)
discord-option-private = Show the result only to you
discord-option-image = The picture
discord-option-instruction = What should change
discord-option-mask = White where changes are allowed
discord-option-factor = How many times larger
discord-option-image1 = First picture
discord-option-image2 = Second picture
discord-option-image3 = Third picture
discord-option-image4 = Fourth picture
discord-option-job = Which order; your newest if left out
discord-option-member = The member
discord-option-role = The role
discord-option-tier = The tier
discord-option-state = Open, waitlist, closed, or auto to follow the load
discord-option-blocked = True to block, false to unblock
discord-option-credits = Number of credits; negative to take some
discord-option-why = Reason, for the audit log
discord-option-words = Words separated by spaces, or a dash to clear the list
discord-option-trial = A prompt to test against the list
discord-option-language = Language
discord-option-default_tier = Tier of members whose roles give none
discord-option-channel = A channel for pictures; choose it again to remove it
discord-option-nsfw = What to do with pictures that may be unsafe
discord-option-largest_megapixels = Largest picture, in megapixels
discord-option-visibility = Who sees results: everyone, or only the member
discord-option-reports_channel = A channel that gets new reports, with buttons for moderators
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
discord-command-studio-reports-name = reports
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
discord-option-reports_channel-name = reports_channel

## Slack
slack-sure = Are you sure? This can’t be undone.
slack-no = Keep it
slack-invite-me = I’m not in this conversation, so I can’t post a picture here. Invite me with /invite @Atelier and ask again. Nothing was charged.
slack-no-files = This workspace doesn’t let apps upload files. Please ask an administrator.
slack-file-failed = I couldn’t send you the file. Please ask for it again in a few minutes.
slack-status = is working on it…
slack-suggestions = Try one of these
slack-suggestion-1 = a red house in the snow
slack-suggestion-2 = a white rocket at night
slack-suggestion-3 = a pink heart on a black background --count 2
slack-compose = New picture
slack-make = Create
slack-prompt = What should the picture show?
slack-prompt-hint = a red house by the sea, at sunset
slack-negative = What should be left out?
slack-reference = Picture to start from
slack-where = Where should I post it?
slack-instruction = What should change?
slack-edit-hint = make the house blue
slack-mask = Mask: white on black where changes are allowed
slack-report-why = What’s wrong with it?
slack-admin = For administrators
slack-admin-words = /atelier studio role @group plus · studio roles · studio doors free closed · studio capacity · studio block @member · studio words · studio reports · studio settings · studio audit
slack-doors-open = Open
slack-doors-waitlist = Waitlist
slack-doors-closed = Closed
slack-doors-auto = Open
