"""Who is let in: names, origins, tokens, and what every answer forbids; on a real studio."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.browser.visitor import Visit
from tests.stack import Studio


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", ""])
def test_a_foreign_name_that_points_here_is_refused(studio: Studio, host: str) -> None:
    for path in ("/", "/api/welcome", "/page/main.js", f"/pictures/{uuid.uuid4()}"):
        answer = httpx.get(studio.url + path, headers={"Host": host})
        assert answer.status_code in (400, 421)
        assert "token" not in answer.text


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_this_machine_goes_by_its_usual_names(studio: Studio, host: str) -> None:
    port = studio.url.rpartition(":")[2]
    answer = httpx.get(studio.url, headers={"Host": host.format(port=port)})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_page_gets_nothing(visit: Visit, headers: dict[str, str]) -> None:
    ann = visit()
    for path in ("/api/welcome", "/api/quota", f"/api/stream?as={ann.who}"):
        answer = ann.http.get(path, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["code"] == "foreign-origin"
    answer = ann.http.post("/api/actions", json={}, headers=headers)
    assert answer.status_code == 403
    # By a link one may come from anywhere; a link names no origin.
    page = ann.http.get("/", headers=headers)
    assert page.status_code == (403 if "Origin" in headers else 200)


def test_a_request_without_the_pages_token_does_nothing(visit: Visit) -> None:
    ann, other = visit(), visit()
    for token in ("", "0" * 64, other.welcome["token"]):
        answer = ann.http.post(
            "/api/actions", json={"action": "cancel"}, headers={"Atelier-Token": token}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "stale-page")


def test_the_session_is_for_this_site_and_no_script(studio: Studio) -> None:
    cookie = httpx.get(f"{studio.url}/api/welcome").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_session_lives_through_another_welcome(visit: Visit) -> None:
    ann = visit()
    assert ann.http.get("/api/welcome").json()["token"] == ann.welcome["token"]


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/welcome", "/studio", "/nothing"])
def test_every_answer_forbids_what_the_page_does_not_need(studio: Studio, path: str) -> None:
    headers = httpx.get(studio.url + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/", "/studio"])
def test_the_page_needs_nothing_from_elsewhere(studio: Studio, path: str) -> None:
    page = httpx.get(studio.url + path).text
    assert "http:" not in page
    assert "https:" not in page
    assert "style=" not in page
    assert "<style" not in page


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py"])
def test_the_pages_folder_is_all_that_is_served(studio: Studio, path: str) -> None:
    assert httpx.get(studio.url + path).status_code == 404


def test_nobody_is_told_to_say_who_they_are(visit: Visit) -> None:
    ann = visit()
    answer = ann.http.get("/api/quota", headers={"Atelier-Member": "nobody"})
    assert (answer.status_code, answer.json()["kind"]) == (400, "refusal")


def test_healthz_answers_under_any_name(studio: Studio) -> None:
    answer = httpx.get(f"{studio.url}/healthz", headers={"Host": "atelier-web.internal"})
    assert answer.json() == {"ready": True}
