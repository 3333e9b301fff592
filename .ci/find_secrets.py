"""Searches for tokens and keys that must not be committed.

    python .ci/find_secrets.py                # every file that git tracks
    python .ci/find_secrets.py FILE ...       # these files (how pre-commit calls it)
    python .ci/find_secrets.py --history      # every line that was ever added, too

Prints the place of each finding, never the secret. Exits with 1 if there is any. A token that a
test needs is made up, and its hash is in TEST_TOKENS; a line of another kind says `not-a-secret`.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PATTERNS = {
    "Slack token": r"\bxox[abeoprs]-(?:\d+-)?\d{8,}-[\w-]{10,}",
    "Slack app token": r"\bxapp-\d-[A-Z0-9]{8,}-\d{8,}-[0-9a-f]{32,}",
    "Discord token": r"\b[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}\b",
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{40,}\b",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "API key": r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_]{32,}\b",
    "Google key": r"\bAIza[\w-]{35}\b",
    "password in a URL": r"\b(?:postgres(?:ql)?|redis|amqp)://[\w.%-]+:(?!\$)[^@\s/:{}<>$*\"']{16,}@",
}
TEST_TOKENS = frozenset(
    {
        "f7e29e52e7ecc13c9458084124e2849a4a87d74be7c9f608dddabb2e6ceff6a9",
    }
)
"""SHA-256 of tokens in tests that no platform ever issued."""
SECRET = re.compile("|".join(f"(?P<k{n}>{each})" for n, each in enumerate(PATTERNS.values())))
ALLOWED = "not-a-secret"


def secrets_in(line: str) -> str | None:
    """What kind of secret a line has."""
    if ALLOWED in line:
        return None
    for match in SECRET.finditer(line):
        if hashlib.sha256(match[0].encode()).hexdigest() not in TEST_TOKENS:
            return list(PATTERNS)[int((match.lastgroup or "k0")[1:])]
    return None


def in_files(paths: list[Path]) -> Iterator[str]:
    """The findings in files; binary files are skipped."""
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (UnicodeDecodeError, OSError):
            continue
        for number, line in enumerate(lines, 1):
            if kind := secrets_in(line):
                yield f"{path}:{number}: {kind}"


def in_history() -> Iterator[str]:
    """The findings in every line that a commit added."""
    command = ["git", "log", "--all", "--no-color", "--unified=0", "--format=commit %h", "--patch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:  # noqa: S603
        commit = file = ""
        for raw in running.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if line.startswith("commit "):
                commit = line.removeprefix("commit ")
            elif line.startswith("+++ b/"):
                file = line.removeprefix("+++ b/")
            elif line.startswith("+") and (kind := secrets_in(line)):
                yield f"{commit} {file}: {kind}"


def main() -> int:
    """Search, and report."""
    names = [each for each in sys.argv[1:] if not each.startswith("--")]
    if not names:
        listed = subprocess.check_output(["git", "ls-files", "-z"], text=True)  # noqa: S607
        names = [name for name in listed.split("\0") if name]
    found = list(in_files([Path(name) for name in names]))
    if "--history" in sys.argv[1:]:
        found += in_history()
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
