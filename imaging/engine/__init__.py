"""The engine: renders requests on one device, a step at a time.

Torch-free: `engine` (accepts requests), `render_handle` (progress, cancel and result of one
request), `device_arbiter` (passes the device between the requests' threads), `step_scheduler` (who
is next), `batch_limits`, `render_times`, `validation`, `model_cache`, `blank_runner`. With torch:
`diffusers_runner`, `denoiser` (where pipelines wait for the device and share batches) and the
modules they use; the engine imports them when the first model is needed. `servers` has engines
whose pictures other servers draw; `protocol` is what all engines have in common. Independent of
members, tiers, job queues and chat.
"""
