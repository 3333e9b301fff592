"""Property tests of the demand modules: no example is judged by its time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("demand", deadline=None, max_examples=40)
settings.load_profile("demand")
