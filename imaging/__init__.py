"""Image generation: turns an `ImageRequest` into finished files.

Independent of members, tiers, job queues and chat. `request`, `errors` and `profiles` import no
torch.
"""
