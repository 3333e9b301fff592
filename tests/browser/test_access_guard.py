"""Hosts, origins, CSRF tokens and security headers; against a running studio."""

from __future__ import annotations

import uuid
from pathlib import Path

import httpx
import pytest

from tests.browser.visitor import Visit
from tests.browser.web_process import free_port, web_process
from tests.stack import AtelierProcess


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", ""])
def test_foreign_host_name_is_refused(atelier: AtelierProcess, host: str) -> None:
    for path in ("/", "/api/welcome", "/page/main.js", f"/pictures/{uuid.uuid4()}"):
        answer = httpx.get(atelier.url + path, headers={"Host": host})
        assert answer.status_code in (400, 421)
        assert "token" not in answer.text


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_loopback_names_are_allowed(atelier: AtelierProcess, host: str) -> None:
    port = atelier.url.rpartition(":")[2]
    answer = httpx.get(atelier.url, headers={"Host": host.format(port=port)})
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
def test_cross_site_request_is_refused(visit: Visit, headers: dict[str, str]) -> None:
    ann = visit()
    for path in ("/api/welcome", "/api/quota", f"/api/stream?as={ann.who}"):
        answer = ann.http.get(path, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["code"] == "foreign-origin"
    answer = ann.http.post("/api/actions", json={}, headers=headers)
    assert answer.status_code == 403
    # Following a link from another site is allowed; a link sends no Origin.
    page = ann.http.get("/", headers=headers)
    assert page.status_code == (403 if "Origin" in headers else 200)


def test_request_without_csrf_token_is_refused(visit: Visit) -> None:
    ann, other = visit(), visit()
    for token in ("", "0" * 64, other.welcome["token"]):
        answer = ann.http.post(
            "/api/actions", json={"action": "cancel"}, headers={"Atelier-Token": token}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "stale-page")


def test_session_cookie_is_http_only_and_same_site(atelier: AtelierProcess) -> None:
    cookie = httpx.get(f"{atelier.url}/api/welcome").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_second_welcome_keeps_session(visit: Visit) -> None:
    ann = visit()
    assert ann.http.get("/api/welcome").json()["token"] == ann.welcome["token"]


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/welcome", "/studio", "/nothing"])
def test_every_response_has_security_headers(atelier: AtelierProcess, path: str) -> None:
    headers = httpx.get(atelier.url + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/", "/studio"])
def test_page_loads_nothing_from_other_origins(atelier: AtelierProcess, path: str) -> None:
    page = httpx.get(atelier.url + path).text
    assert "http:" not in page
    assert "https:" not in page
    assert "style=" not in page
    assert "<style" not in page


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py"])
def test_path_traversal_is_refused(atelier: AtelierProcess, path: str) -> None:
    assert httpx.get(atelier.url + path).status_code == 404


def test_malformed_persona_is_refused(visit: Visit) -> None:
    ann = visit()
    answer = ann.http.get("/api/quota", headers={"Atelier-Member": "nobody"})
    assert (answer.status_code, answer.json()["kind"]) == (400, "refusal")


def test_healthz_accepts_any_host(atelier: AtelierProcess) -> None:
    assert httpx.get(f"{atelier.url}/healthz").status_code == 404
    answer = httpx.get(
        f"{atelier.monitoring_url}/healthz", headers={"Host": "atelier-web.internal"}
    )
    assert answer.json() == {"ready": True}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.7"},
        {"Via": "1.1 proxy"},
        {"Host": "192.0.2.1"},
        {"Authorization": "Bearer 0000000000000000"},
        {"Cookie": "atelier_session=x:operator.aaaa.bbbb"},
    ],
)
def test_forwarded_request_needs_sign_in(visit: Visit, headers: dict[str, str]) -> None:
    ann = visit(administrator=True)
    forwarded = {"X-Forwarded-For": "203.0.113.7", **headers}
    if "Host" in headers:
        del forwarded["X-Forwarded-For"]
    for path in ("/api/welcome", "/api/conversation?channel=general", "/api/studio"):
        answer = ann.http.get(path, headers=forwarded)
        assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-required")


def test_secret_signs_in_and_out(atelier: AtelierProcess) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    with httpx.Client(base_url=atelier.url, headers=forwarded) as browser:
        wrong = browser.post("/api/sign-in", json={"secret": "0" * 43})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong-secret")
        assert browser.get("/api/welcome").status_code == 401
        answer = browser.post("/api/sign-in", json={"secret": atelier.operator_secret})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert atelier.operator_secret.lower() not in cookie
        welcome = browser.get("/api/welcome").json()
        assert welcome["operator"]
        out = browser.post("/api/sign-out", headers={"Atelier-Token": welcome["token"]})
        assert out.status_code == 200
        assert browser.get("/api/welcome").status_code == 401


def test_copied_session_ends_with_the_sign_out(atelier: AtelierProcess, tmp_path: Path) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.8"}
    with httpx.Client(base_url=atelier.url, headers=forwarded) as browser:
        secret = {"secret": atelier.operator_secret}
        copied = dict(browser.post("/api/sign-in", json=secret).cookies)
        token = browser.get("/api/welcome").json()["token"]
        other = dict(httpx.post(f"{atelier.url}/api/sign-in", json=secret).cookies)
        assert browser.post("/api/sign-out", headers={"Atelier-Token": token}).status_code == 200
    with web_process(atelier, free_port(), tmp_path) as restarted:
        for url in (atelier.url, restarted.url):
            for cookies, status in ((copied, 401), (other, 200)):
                answer = httpx.get(f"{url}/api/welcome", headers=forwarded, cookies=cookies)
                assert answer.status_code == status
    assert (atelier.home / "signed-out-sessions").stat().st_mode & 0o777 == 0o600


def test_wrong_secrets_are_limited(atelier: AtelierProcess) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.99"}
    with httpx.Client(base_url=atelier.url, headers=forwarded) as browser:
        answers = [browser.post("/api/sign-in", json={"secret": f"{n:043}"}) for n in range(12)]
        assert [answer.status_code for answer in answers].count(429) >= 1
        assert answers[-1].json()["code"] == "too-many-attempts"
        assert int(answers[-1].headers["retry-after"]) > 0
        guess = {"Authorization": f"Bearer {atelier.operator_secret}"}
        assert browser.get("/api/welcome", headers=guess).status_code == 429
    other = {"X-Forwarded-For": "203.0.113.100", **guess}
    assert httpx.get(f"{atelier.url}/api/welcome", headers=other).status_code == 200


def test_sign_in_from_another_page_is_refused(atelier: AtelierProcess) -> None:
    answer = httpx.post(
        f"{atelier.url}/api/sign-in",
        json={"secret": atelier.operator_secret},
        headers={"Origin": "https://evil.example"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")


def test_secret_is_readable_by_its_owner_only(atelier: AtelierProcess) -> None:
    path = atelier.home / "playground-secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert atelier.operator_secret not in atelier.log


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//", "http://\u00e9", "nul\x7f"])
def test_malformed_origin_is_refused(atelier: AtelierProcess, origin: str) -> None:
    answer = httpx.get(f"{atelier.url}/api/welcome", headers=[(b"Origin", origin.encode())])
    assert answer.status_code in (400, 403)
