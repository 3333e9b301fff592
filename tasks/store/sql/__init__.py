"""What Postgres runs, in named files: its functions and triggers, and the large statements.

`FUNCTIONS` are created by the migrations, which keep the text that they ran; a test compares the
functions of a migrated database with these files. The other files are statements of `tasks.store`.
"""

from __future__ import annotations

from importlib.resources import files
from string import Template

FUNCTIONS = (
    "each",
    "queue_change",
    "queue_triggers",
    "leave_queue",
    "lease_one",
    "lease",
    "metric_triggers",
)
"""The files that create functions and triggers, in an order in which they can be created."""


class UnknownStatement(LookupError):
    """No file of that name is in `tasks/store/sql`."""


def load(name: str, **fragments: str) -> str:
    """The text of `NAME.sql`, with each `$fragment` replaced by what is given for it.

    Raises UnknownStatement, and KeyError for a fragment that is not given.
    """
    file = files(__name__) / f"{name}.sql"
    if not file.is_file():
        raise UnknownStatement(f"There is no SQL file {name}.sql in {__name__}.")
    statement = file.read_text(encoding="utf-8")
    return Template(statement).substitute(fragments) if fragments else statement
