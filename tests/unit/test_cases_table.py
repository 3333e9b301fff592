"""The page of what people type and send is up to date, and every case in it is right."""

from __future__ import annotations

from tests.cases_table import PAGE, cases, page


def test_every_case_is_as_it_should_be() -> None:
    listed = list(cases())
    assert len(listed) > 100
    assert [case for case in listed if case.got != case.right] == []


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.cases_table"
