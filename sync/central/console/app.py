"""The console's Flask application: how pages, language, headers and errors are put together.

Promises that nothing on any page comes from outside the machine.
There is no login yet: the server listens on loopback unless the configuration says otherwise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, render_template, send_from_directory
from werkzeug.exceptions import HTTPException

from edge import assets
from edge.clock import Clock
from edge.look.language import Babel, _, locale
from edge.look.screening import Films
from edge.rules.heads import compare
from sync.central.config import CentreConfig
from sync.central.console import faults, language, live_words, words
from sync.central.media import MediaHolder
from sync.central.store import CentralStore
from sync.central.viewing import Viewing

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

look = Blueprint("look", __name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages work with."""

    config: CentreConfig
    store: CentralStore
    media: MediaHolder
    clock: Clock
    viewing: Viewing
    films: Films = field(default_factory=Films)


def parts() -> Parts:
    """Return the parts of the application that serves this request."""
    found = current_app.extensions["console"]
    assert isinstance(found, Parts)
    return found


@look.get("/look/<path:name>")
def shared(name: str) -> Response:
    """Serve the visual language that kiosk and console share."""
    return send_from_directory(assets.LOOK, name)


@look.get("/vendor/<any('htmx.min.js'):name>")
def vendor(name: str) -> Response:
    """Serve the front-end library that set-up put in place."""
    file = assets.path(f"static/{name}")
    return send_from_directory(file.parent, file.name, mimetype="text/javascript")


def create_app(parts: Parts) -> Flask:
    """Return the console of one centre."""
    from sync.central.console import film_pages
    from sync.central.console.live_pages import live
    from sync.central.console.pages import pages

    app = Flask(__name__)
    app.config.update(
        MAX_CONTENT_LENGTH=64 * 1024,
        BABEL_DEFAULT_LOCALE=parts.config.language,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.extensions["console"] = parts
    Babel(app, locale_selector=lambda: language.chosen(parts.config.language))
    app.register_blueprint(look)
    app.register_blueprint(pages)
    app.register_blueprint(live)
    app.register_blueprint(film_pages.pages)
    app.after_request(_headers)
    app.register_error_handler(HTTPException, _problem)
    zone = parts.config.zone
    app.jinja_env.globals.update(
        stamp=_fingerprint(Path(app.static_folder or ""), assets.LOOK),
        language=lambda: locale().language,
        zone_name=zone.key,
        centre_name=lambda: parts.config.name or _("Attendance management"),
        open_way=parts.config.security == "none",
        hhmm=lambda at: words.hhmm(at, zone),
        hhmmss=lambda at: words.hhmmss(at, zone),
        when=lambda at: words.when(at, parts.clock.now().at, zone),
        exactness=lambda moment: words.exactness(moment, parts.clock.now().at, zone),
        item_words=lambda item: words.item(item, parts.clock.now().at, zone),
        room_words=words.room,
        status_words=words.status,
        cause_words=words.cause,
        fault_words=faults.name,
        verdict_words=words.verdict,
        agreement=compare,
        incident_words=words.incident,
        document_words=words.document,
        reason_words=words.reason,
        size_words=words.size,
        credit_words=words.credit,
        unusual=words.unusual,
        day_words=lambda at: words.day(at, zone),
        lasting=words.lasting,
        device_words=live_words.device,
        view_end_words=live_words.ended,
    )
    return app


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _problem(error: HTTPException) -> tuple[str, int]:
    status = error.code or 500
    return render_template("problem.html", status=status), status


def _fingerprint(*folders: Path) -> str:
    """Return what changes with the static files, so that browsers may keep them for long."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
