"""The functions and triggers of a migrated database are those of `tasks/store/sql`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tasks.store import sql
from tests.integration.stack import Deployment

DEFINITIONS = """
    SELECT proname AS name, pg_get_functiondef(oid) AS definition FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""


def definitions(connection: Connection) -> Mapping[str, str]:
    """Each function and trigger of the database, by name."""
    return {row.name: row.definition for row in connection.execute(text(DEFINITIONS))}


def test_sql_files_define_the_functions_of_a_migrated_database(deployment: Deployment) -> None:
    with deployment.database.begin() as connection:
        migrated = definitions(connection)
        assert "atelier_lease_several" in migrated
        for name in sql.FUNCTIONS:
            connection.exec_driver_sql(sql.load(name))
        assert definitions(connection) == migrated
        connection.rollback()


def test_every_function_and_trigger_has_a_file(deployment: Deployment) -> None:
    files = "".join(sql.load(name) for name in sql.FUNCTIONS)
    with deployment.database.begin() as connection:
        for name in definitions(connection):
            assert f"CREATE OR REPLACE FUNCTION {name}(" in files or (
                f"CREATE OR REPLACE TRIGGER {name} " in files
            ), name


def test_every_file_is_loaded_by_the_store() -> None:
    folder = Path(sql.__file__).parent
    source = "".join(path.read_text() for path in folder.parent.rglob("*.py"))
    for file in folder.glob("*.sql"):
        assert f'"{file.stem}"' in source, file.name


def test_unknown_statement_is_named() -> None:
    with pytest.raises(sql.UnknownStatement, match=r"no-such-statement\.sql"):
        sql.load("no-such-statement")


def test_missing_fragment_is_an_error() -> None:
    with pytest.raises(KeyError, match="which"):
        sql.load("requeue", other="")
