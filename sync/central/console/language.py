"""The language of the request: gettext with types, in one place."""

from __future__ import annotations

from typing import Any

from babel import Locale
from flask import request
from flask_babel import (  # type: ignore[import-untyped]  # the library has no types
    Babel,
    get_locale,
)
from flask_babel import gettext as _gettext
from flask_babel import ngettext as _ngettext

__all__ = ["COOKIE", "LANGUAGES", "Babel", "_", "chosen", "locale", "ngettext"]

LANGUAGES = ("zh", "en")
COOKIE = "console_language"


def _(message: str, **variables: Any) -> str:
    """Return *message* in the language of the request."""
    return str(_gettext(message, **variables))


def ngettext(singular: str, plural: str, num: int, **variables: Any) -> str:
    """Return the form for *num*, which the message may name as ``%(num)d``."""
    return str(_ngettext(singular, plural, num, **variables))


def locale() -> Locale:
    """Return the locale of the request."""
    found = get_locale()
    return found if isinstance(found, Locale) else Locale("zh")


def chosen(otherwise: str) -> str:
    """Return the language that this browser chose, *otherwise* when it chose none."""
    found = request.cookies.get(COOKIE, "")
    return found if found in LANGUAGES else otherwise
