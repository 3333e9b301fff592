"""Doors of features, servers and new members on the administrators' page."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from playwright.async_api import expect

from bots.web.local_peer import is_loopback
from tests.browser.conftest import OpenPage
from tests.browser.page import accessibility_faults
from tests.browser.visitor import Visit, Visitor
from tests.stack import AtelierProcess


def set_door(admin: Visitor, door: str, state: str, server: str | None = None) -> httpx.Response:
    values = {"door": door, "state": state, **({"server": server} if server else {})}
    return admin.http.post("/api/studio/doors", json=values)


def find_door(answer: httpx.Response, name: str) -> dict[str, object]:
    doors: list[dict[str, object]] = answer.json()["doors"]
    (found,) = (door for door in doors if door["door"] == name)
    return found


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_administrator_closes_and_reopens_feature(
    open_page: OpenPage, atelier: AtelierProcess, visit: Visit
) -> None:
    page = await open_page(administrator=True, path=f"{atelier.url}/studio")
    choice = page.get_by_label("Doors for Upscaling")
    await choice.select_option("closed")
    try:
        await expect(
            page.get_by_role("status").filter(has_text="Upscaling: closed")
        ).to_be_visible()
        await expect(choice).to_have_value("closed")
        admin = visit(administrator=True)
        found = find_door(admin.http.get("/api/studio/doors"), "upscale")
        assert (found["set"], found["now"]) == ({"web:playground": "closed"}, "closed")
        found = find_door(admin.http.get("/api/studio/doors?server=*"), "upscale")
        assert found["now"] == "open"
        assert await accessibility_faults(page) == []
    finally:
        await choice.select_option("usual")
        await expect(page.locator("#polite")).to_have_text("Upscaling: default")
    assert find_door(admin.http.get("/api/studio/doors"), "upscale")["set"] == {}


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_operator_sets_doors_of_all_servers_and_of_one(
    open_page: OpenPage, atelier: AtelierProcess, visit: Visit
) -> None:
    operator = visit(administrator=True, secret=atelier.operator_secret)
    set_door(operator, "everything", "waitlist", "slack:T0PAGE")
    try:
        page = await open_page(
            administrator=True, path=f"{atelier.url}/sign-in#{atelier.operator_secret}"
        )
        await page.get_by_role("link", name="Studio").click()
        server = page.get_by_label("Overrides for")
        row = page.get_by_role("row", name=re.compile("The whole server"))
        await expect(row).to_contain_text("slack:T0PAGE: waitlist")
        await server.select_option("slack:T0PAGE")
        await expect(page.get_by_label("Doors for The whole server")).to_have_value("waitlist")
        await server.select_option("*")
        await page.get_by_label("Doors for Blending").select_option("waitlist")
        blending = page.get_by_role("row", name=re.compile("Blending"))
        await expect(blending.get_by_role("cell").nth(1)).to_have_text("waitlist")
        answer = await asyncio.to_thread(httpx.get, f"{atelier.monitoring_url}/metrics")
        metrics = answer.text
        assert 'atelier_feature_doors{feature="blend",state="waitlist"} 1.0' in metrics
        assert 'atelier_server_doors{door="everything",state="waitlist"} 1.0' in metrics
    finally:
        set_door(operator, "blend", "usual", "*")
        answer = set_door(operator, "everything", "usual", "slack:T0PAGE")
    assert all(door["set"] == {} for door in answer.json()["doors"])


def test_closed_sign_ups_refuse_new_members(visit: Visit) -> None:
    admin, old, new = visit(administrator=True), visit(role="free"), visit(role="free")
    assert old.send("a red star").json()["kind"] == "placeholder"
    assert set_door(admin, "sign-ups", "closed").status_code == 200
    try:
        assert new.send("a red star").json()["code"] == "sign-ups-suspended"
    finally:
        assert set_door(admin, "sign-ups", "usual").status_code == 200


@pytest.mark.parametrize(
    ("values", "mentioned"),
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
def test_invalid_door_setting_is_refused(visit: Visit, values: object, mentioned: str) -> None:
    answer = visit(administrator=True).http.post("/api/studio/doors", json=values)
    assert (answer.status_code, answer.json()["kind"]) == (400, "refusal")
    assert mentioned in answer.json()["text"]


def test_doors_need_administrator_and_other_servers_need_operator(
    visit: Visit, atelier: AtelierProcess
) -> None:
    assert visit().http.get("/api/studio/doors").status_code == 403
    assert set_door(visit(), "free", "closed").json()["code"] == "only-administrators"
    admin = visit(administrator=True)
    answer = admin.http.get("/api/studio/doors").json()
    assert (answer["servers"], answer["operator"]) == (["web:playground"], False)
    for server in ("*", "discord:1"):
        refused = set_door(admin, "free", "closed", server)
        assert (refused.status_code, refused.json()["code"]) == (403, "doors-elsewhere")
    operator = visit(administrator=True, secret=atelier.operator_secret)
    answer = operator.http.get("/api/studio/doors").json()
    assert answer["operator"]
    assert "*" in answer["servers"]


@pytest.mark.parametrize(
    ("host", "loopback"),
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
def test_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
