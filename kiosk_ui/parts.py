"""What the pages work with, hung on the Flask application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from edge.config import Config
from edge.ledger import Ledger
from edge.media import MediaStore
from kiosk_ui.runtime import Runtime

if TYPE_CHECKING:
    from kiosk_ui.access import PinLock
    from kiosk_ui.live import Live

_NAME = "classbox"


@dataclass(frozen=True, slots=True)
class Parts:
    """The box behind the pages."""

    config: Config
    ledger: Ledger
    media: MediaStore
    runtime: Runtime
    live: Live
    pins: PinLock


def hang(app: object, made: Parts) -> None:
    """Make *made* what ``parts`` returns within *app*."""
    app.extensions[_NAME] = made  # type: ignore[attr-defined]


def parts() -> Parts:
    """Return the box behind the current application."""
    return cast(Parts, current_app.extensions[_NAME])
