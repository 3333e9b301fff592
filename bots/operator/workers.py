"""`atelier worker` and `atelier clock`: this process becomes the one of `tasks`.

They run by `exec`, not by import: a worker needs torch, and this room never does.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import NoReturn

from bots.operator.complaints import read_settings
from bots.operator.refusal import NotThere
from bots.operator.servers import with_servers


def become(module: str, needs: str | None = None) -> NoReturn:
    """Check the settings, then run `python -m module` in the place of this process.

    `needs` is a package it cannot do without. Raises WrongSettings or NotThere.
    """
    if needs and importlib.util.find_spec(needs) is None:
        raise NotThere(f"A worker needs the package {needs}: pip install 'atelier[worker]'.")
    settings = with_servers(read_settings())
    environment = {**os.environ, "ATELIER_HOME": str(settings.home)}
    for name, secret in (
        ("ATELIER_DATABASE_URL", settings.database_url),
        ("ATELIER_REDIS_URL", settings.redis_url),
    ):
        if secret is not None:
            environment[name] = secret.get_secret_value()
    os.execve(sys.executable, [sys.executable, "-P", "-m", module], environment)  # noqa: S606
