"""Pictures: from an `ImageRequest` to finished files.

Knows no member, tier, queue or chat. `request`, `errors` and `profiles` import no torch.
"""
