"""The engine: takes requests, and turns them into pictures on one thread that owns every model.

`engine` (the thread and its queue), `rendering` (one request's progress, cancel and result),
`step_scheduler` (who is next), `rates`, `checks`, `shelf` and `blank` import no torch; `runner`
and what it calls do, and are imported by the engine's thread when the first model is needed.
Nothing here knows members, tiers, queues of jobs, or chat.
"""
