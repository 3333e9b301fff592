"""Jobs and capacity: admission, fair order, leases, the ledger, delivery.

May know imaging's torch-free nouns. Must never know a chat SDK, nor import `bots`: the couriers
that post pictures are found by entry point and handed in.
"""
