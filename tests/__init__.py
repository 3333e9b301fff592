"""The tests. Bare assertions of every helper module show their values, as those of tests do."""

import pkgutil

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{one.name}" for one in pkgutil.iter_modules(__path__))
)
