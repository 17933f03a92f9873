"""What the pages work with, hung on the Flask application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from edge.config import Config
from edge.ledger import Ledger
from edge.look.screening import Films
from edge.media import MediaStore
from kiosk_ui.runtime import Runtime

if TYPE_CHECKING:
    from kiosk_ui.access import PinLock
    from kiosk_ui.live import Live
    from kiosk_ui.phone import Phones

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
    phones: Phones
    films: Films = field(default_factory=Films)


def hang(app: Flask, made: Parts) -> None:
    """Make *made* what ``parts`` returns within *app*."""
    app.extensions[_NAME] = made


def parts_of(app: Flask) -> Parts:
    """Return the box behind *app*."""
    return cast(Parts, app.extensions[_NAME])


def parts() -> Parts:
    """Return the box behind the current application."""
    return parts_of(current_app)
