"""Whether an order becomes a job, and the check of a member's right before a delayed start.

`service` batches calls; `pipeline` is the path of a batch: `load` reads, `decision` decides by the
pure `rules`, `enter` writes. Knows no platform and renders nothing.
"""
