"""Types shared by every layer: jobs and their states, members, places, tiers. Pure: no I/O."""
