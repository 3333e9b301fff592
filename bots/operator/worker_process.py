"""`atelier worker` and `atelier clock`: replace this process by one of `tasks`.

They use `exec`, not an import: a worker needs torch, and this package must not import it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import NoReturn

from bots.operator.errors import NotInstalled
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings
from tasks.runtime.private_files import restrict_new_files


def exec_module(module: str, needs: str | None = None) -> NoReturn:
    """Check the settings, then replace this process by `python -m module`.

    `needs` is a required package. Raises WrongSettings or NotInstalled.
    """
    if needs and importlib.util.find_spec(needs) is None:
        raise NotInstalled(f"A worker needs the package {needs}: pip install 'atelier[worker]'.")
    restrict_new_files()
    settings = with_server_addresses(read_settings())
    environment = {**os.environ, "ATELIER_HOME": str(settings.home)}
    for name, secret in (
        ("ATELIER_DATABASE_URL", settings.database_url),
        ("ATELIER_REDIS_URL", settings.redis_url),
    ):
        if secret is not None:
            environment[name] = secret.get_secret_value()
    os.execve(sys.executable, [sys.executable, "-P", "-m", module], environment)  # noqa: S606
