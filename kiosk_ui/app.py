"""The kiosk's Flask application: pages, languages, headers, errors.

Owns how the parts are put together. Promises that nothing on any page comes from outside the box
and that every error is a page in plain words with a way back.
"""

from __future__ import annotations

import errno
import hashlib
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Flask,
    Response,
    g,
    render_template,
    request,
    send_from_directory,
)
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from edge import assets
from edge.config import Config
from edge.ledger import Ledger
from edge.look.language import Babel, _, locale
from edge.media import MediaStore
from edge.rules.telling import tell
from edge.store import DiskFull
from kiosk_ui import (
    access,
    doctor_pages,
    enrolment,
    facts,
    film_pages,
    instructor_pages,
    media_pages,
    pin_pages,
    public_pages,
    spot_check_pages,
    words,
)
from kiosk_ui.live import Live
from kiosk_ui.names import masked
from kiosk_ui.parts import Parts, hang, parts
from kiosk_ui.phone import Phones
from kiosk_ui.runtime import Runtime

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

look = Blueprint("look", __name__)


@look.get("/look/<path:name>")
def shared(name: str) -> Response:
    """Serve the visual language that kiosk and console share."""
    return send_from_directory(assets.LOOK, name)


def create_app(config: Config, ledger: Ledger) -> Flask:
    """Return the kiosk of the box that *config* and *ledger* describe."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=access.secret_key(config.data_dir),
        SESSION_COOKIE_NAME="kiosk",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=timedelta(days=365),
        MAX_CONTENT_LENGTH=64 * 1024,
        BABEL_DEFAULT_LOCALE=config.language,
    )
    app.session_interface = access.Sessions()
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    runtime = Runtime(config.runtime_dir)
    hang(
        app,
        Parts(
            config=config,
            ledger=ledger,
            media=MediaStore(config.data_dir / "media"),
            runtime=runtime,
            live=Live(ledger, runtime),
            pins=access.PinLock(),
            phones=Phones(config.kiosk.phone_host, config.kiosk.phone_port),
        ),
    )
    Babel(app, locale_selector=language)
    for blueprint in (
        look,
        public_pages.pages,
        instructor_pages.pages,
        spot_check_pages.pages,
        enrolment.pages,
        media_pages.pages,
        doctor_pages.pages,
        film_pages.pages,
        pin_pages.pages,
    ):
        app.register_blueprint(blueprint)
    app.before_request(access.check_token)
    app.after_request(_headers)
    app.register_error_handler(HTTPException, _problem)
    app.register_error_handler(DiskFull, _disk_full)
    app.register_error_handler(OSError, _no_room)
    _add_words(app, config, ledger)
    return app


def language() -> str:
    """Return the language of this request: the one chosen on the screen, else the box's own."""
    chosen = request.cookies.get(public_pages.LANGUAGE_COOKIE, "")
    return chosen if chosen in public_pages.LANGUAGES else parts().config.language


def _add_words(app: Flask, config: Config, ledger: Ledger) -> None:
    zone = ZoneInfo(config.time_zone)
    stamp = _fingerprint(Path(app.static_folder or ""), assets.LOOK)
    app.jinja_env.globals.update(
        token=access.token,
        instructor=access.instructor,
        asset_stamp=stamp,
        language=lambda: locale().language,
        server_now=lambda: ledger.clock.now().at,
        zone_name=config.time_zone,
        is_today=lambda instant: facts.same_day(instant, ledger.clock.now().at, zone),
        countdown=lambda until: Markup('<time data-until="{}"></time>').format(until),
        wait_for=lambda seconds: Markup('<time data-wait="{}"></time>').format(seconds),
        called=words.called,
        hours=words.hours,
        room_words=words.room_words,
        reason_words=words.reason_words,
        miss_words=words.miss,
        credit_words=words.credit_words,
        told=lambda hours: tell(hours, locale().language, zone),
    )
    app.jinja_env.filters.update(
        masked=masked,
        clock=lambda instant: words.clock(instant, zone),
        hhmm=lambda instant: words.hhmm(instant, zone),
        day=lambda instant: words.day(instant, zone),
        exactness=lambda moment: words.exactness(moment, zone),
    )


def _fingerprint(*folders: Path) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(folder.iterdir()):
            if file.is_file():
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint in ("static", "look.shared"):
        response.headers["Cache-Control"] = "max-age=31536000, immutable"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _problem(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    said = {
        400: (_("That did not work"), _("The page was out of date. Please try again.")),
        404: (_("There is nothing here"), _("This page does not exist or is no longer shown.")),
        405: (_("That did not work"), _("The page was out of date. Please try again.")),
        413: (_("That did not work"), _("Too much was sent at once.")),
    }
    headline, detail = said.get(
        code,
        (_("Something went wrong here"), _("Nothing that was recorded is lost. Please try again.")),
    )
    g.instructor = None  # an error page asks nothing of a database that may be the problem
    return render_template("problem.html", headline=headline, detail=detail), code


def _no_room(error: OSError) -> tuple[str, int]:
    if error.errno == errno.ENOSPC:
        return _disk_full(error)
    raise error


def _disk_full(error: Exception) -> tuple[str, int]:
    g.instructor = None
    return (
        render_template(
            "problem.html",
            headline=_("The disk is full"),
            detail=_("This was not stored. Please call the technician."),
        ),
        507,
    )
