"""`atelier models`: lists the models of `atelier.toml`, and downloads the files of one."""

from __future__ import annotations

import importlib.util

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from bots.operator.errors import CommandError, NotInstalled
from bots.operator.settings_errors import read_settings
from imaging.errors import ImagingError
from imaging.local_models import LocalModel, model_called
from imaging.profiles import names
from tasks.policy import config


def list_models() -> None:
    """Print the registered models and those of `atelier.toml`."""
    policy = config.load(config.find(read_settings().config))
    table = Table("name", "source", "set in")
    for name in names():
        if name not in policy.local_models:
            model = model_called(name)
            table.add_row(name, str(model.source), "Atelier")
    for model in policy.local_models.values():
        table.add_row(model.name, str(model.source), model.origin)
    for server in policy.models.values():
        table.add_row(server.name, server.source, server.origin)
    Console(highlight=False).print(table)


def fetch_model(name: str) -> None:
    """Download the files of a model that are used and not here. Raises CommandError."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise NotInstalled("Models are fetched where workers run: pip install 'atelier[worker]'.")
    from imaging.model_download import fetch

    settings = read_settings()
    policy = config.load(config.find(settings.config))
    if name in policy.models:
        raise CommandError(f"{name} is a model of another server: nothing is downloaded for it.")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    try:
        model = policy.local_models[name] if name in policy.local_models else model_called(name)
        with Progress(*columns, TransferSpeedColumn()) as progress:
            paths = fetch(model, settings.home / "models", _Bars(progress))
    except ImagingError as error:
        raise CommandError(str(error)) from None
    print(f"{model.name}: {_summary(model, [str(path) for path in paths.values()])}")


def _summary(model: LocalModel, paths: list[str]) -> str:
    if not paths:
        return f"nothing to download, it is in {model.source}"
    return f"all files are here: {', '.join(dict.fromkeys(paths))}"


class _Bars:
    """A bar for each file; a `Report` of `imaging.web_download`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, name: str, done: int, total: int) -> None:
        """Show how much of a file is here."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total or None)
        self._progress.update(self._tasks[name], completed=done, total=total or None)
