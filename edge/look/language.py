"""The language of the request: gettext with types, in one place for kiosk and console."""

from __future__ import annotations

from typing import Any

from babel import Locale
from flask_babel import (  # type: ignore[import-untyped]  # the library has no types
    Babel,
    get_locale,
)
from flask_babel import gettext as _gettext
from flask_babel import ngettext as _ngettext

__all__ = ["Babel", "_", "locale", "ngettext"]


def _(message: str, **variables: Any) -> str:
    """Return *message* in the language of the request."""
    return str(_gettext(message, **variables))


def ngettext(singular: str, plural: str, num: int, **variables: Any) -> str:
    """Return the form for *num*, which the message may name as ``%(num)d``."""
    return str(_ngettext(singular, plural, num, **variables))


def locale() -> Locale:
    """Return the locale of the request, that of the source outside of one."""
    found = get_locale()
    return found if isinstance(found, Locale) else Locale("en")
