"""The doors of features, servers and new members on the administrators' page of a real studio."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from bots.web.guard import is_loopback
from tests.browser.conftest import OpenPage
from tests.browser.page import faults_of
from tests.browser.visitor import Visit, Visitor
from tests.stack import Studio


def set_door(chief: Visitor, door: str, state: str, server: str | None = None) -> httpx.Response:
    values = {"door": door, "state": state, **({"server": server} if server else {})}
    return chief.http.post("/api/studio/doors", json=values)


def door_of(answer: httpx.Response, name: str) -> dict[str, object]:
    (found,) = (door for door in answer.json()["doors"] if door["door"] == name)
    return found


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_a_feature_is_closed_on_the_page_and_open_again(
    open_page: OpenPage, studio: Studio, visit: Visit
) -> None:
    page = await open_page(administrator=True, path=f"{studio.url}/studio")
    choice = page.get_by_label("Doors of Upscaling")
    await choice.select_option("closed")
    try:
        await expect(
            page.get_by_role("status").filter(has_text="Upscaling: closed")
        ).to_be_visible()
        await expect(choice).to_have_value("closed")
        chief = visit(administrator=True)
        found = door_of(chief.http.get("/api/studio/doors"), "upscale")
        assert (found["set"], found["now"]) == ({"web:playground": "closed"}, "closed")
        found = door_of(chief.http.get("/api/studio/doors?server=*"), "upscale")
        assert found["now"] == "open"
        assert await faults_of(page) == []
    finally:
        await choice.select_option("usual")
        await expect(page.locator("#polite")).to_have_text("Upscaling: as usual")
    assert door_of(chief.http.get("/api/studio/doors"), "upscale")["set"] == {}


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_the_operator_sets_doors_of_all_servers_and_of_another(
    open_page: OpenPage, studio: Studio, visit: Visit
) -> None:
    chief = visit(administrator=True)
    set_door(chief, "everything", "waitlist", "slack:T0PAGE")
    try:
        page = await open_page(administrator=True, path=f"{studio.url}/studio")
        server = page.get_by_label("Set by hand for")
        row = page.get_by_role("row", name=re.compile("The whole server"))
        await expect(row).to_contain_text("slack:T0PAGE: waitlist")
        await server.select_option("slack:T0PAGE")
        await expect(page.get_by_label("Doors of The whole server")).to_have_value("waitlist")
        await server.select_option("*")
        await page.get_by_label("Doors of Blending").select_option("waitlist")
        blending = page.get_by_role("row", name=re.compile("Blending"))
        await expect(blending.get_by_role("cell").nth(1)).to_have_text("waitlist")
        metrics = chief.http.get("/metrics").text
        assert 'atelier_feature_doors{feature="blend",state="waitlist"} 1.0' in metrics
        assert 'atelier_server_doors{door="everything",state="waitlist"} 1.0' in metrics
    finally:
        set_door(chief, "blend", "usual", "*")
        answer = set_door(chief, "everything", "usual", "slack:T0PAGE")
    assert all(door["set"] == {} for door in answer.json()["doors"])


def test_new_members_are_kept_out_by_the_page(visit: Visit) -> None:
    chief, old, new = visit(administrator=True), visit(role="free"), visit(role="free")
    assert old.send("a red star").json()["kind"] == "placeholder"
    assert set_door(chief, "sign-ups", "closed").status_code == 200
    try:
        assert new.send("a red star").json()["code"] == "sign-ups-suspended"
    finally:
        assert set_door(chief, "sign-ups", "usual").status_code == 200


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"door": "kitchen", "state": "closed"}, "kitchen"),
        ({"door": "free", "state": "ajar"}, "ajar"),
        ({"door": "free"}, "None"),
        ({"door": "sign-ups", "state": "auto"}, "follow no load"),
        ({"door": "free", "state": "closed", "server": "dicsord:1"}, "dicsord:1"),
        ({"door": "free", "state": "closed", "server": "discord:"}, "discord:"),
        ([1], "object"),
    ],
)
def test_what_names_no_door_is_refused(visit: Visit, values: object, told: str) -> None:
    answer = visit(administrator=True).http.post("/api/studio/doors", json=values)
    assert (answer.status_code, answer.json()["kind"]) == (400, "refusal")
    assert told in answer.json()["text"]


def test_doors_are_for_administrators_and_those_of_others_for_who_is_at_the_machine(
    visit: Visit,
) -> None:
    assert visit().http.get("/api/studio/doors").status_code == 403
    assert set_door(visit(), "free", "closed").json()["code"] == "only-administrators"
    chief = visit(administrator=True)
    assert "*" in chief.http.get("/api/studio/doors").json()["servers"]
    chief.http.headers["X-Forwarded-For"] = "203.0.113.7"
    assert chief.http.get("/api/studio/doors").json()["servers"] == ["web:playground"]
    for server in ("*", "discord:1"):
        answer = set_door(chief, "free", "closed", server)
        assert (answer.status_code, answer.json()["code"]) == (403, "doors-elsewhere")


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_which_addresses_are_this_machine_alone(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone
