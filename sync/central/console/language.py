"""Which language a member of staff reads: the browser's choice, else the centre's."""

from __future__ import annotations

from flask import request

LANGUAGES = ("zh", "en")
COOKIE = "console_language"


def chosen(otherwise: str) -> str:
    """Return the language that this browser chose, *otherwise* when it chose none."""
    found = request.cookies.get(COOKIE, "")
    return found if found in LANGUAGES else otherwise
