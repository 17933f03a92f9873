"""Who may do what at the screen: sessions, PINs, lockout, and the token that every form carries.

Promises: a session survives a restart of the kiosk but not of the box, ends by itself when nobody
touches the screen, and never depends on the wall clock, which may jump. Wrong PINs make the next
try wait longer and longer; that memory is kept in this process only, since a restart needs
somebody who could just as well take the box away.
"""

from __future__ import annotations

import functools
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, Request, abort, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature

from edge import queries
from edge.clock import monotonic
from edge.files import replace_file
from edge.model import Instructor, Trainee
from kiosk_ui.parts import parts

INACTIVE_S = 180
FREE_TRIES = 3
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 15 * 60.0
LONGEST_PIN = 12

View = TypeVar("View", bound=Callable[..., Any])


class PinLock:
    """Checks PINs against argon2 hashes; after some failures each further one must wait."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._hasher = PasswordHasher()
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def wait(self, person_id: str) -> float:
        """Return how many seconds must pass before the next try; 0.0 when it may be now."""
        return max(0.0, self._until.get(person_id, 0.0) - self._now())

    def tries_left(self, person_id: str) -> int:
        """Return how many wrong PINs are still free of a wait."""
        return max(0, FREE_TRIES - self._failures.get(person_id, 0))

    def opens(self, person: Instructor | Trainee, pin: str) -> bool:
        """Tell whether *pin* is right; one check at a time, for a hash costs memory."""
        with self._lock:
            if self.wait(person.id) > 0:
                return False
            if self._right(person, pin):
                self._failures.pop(person.id, None)
                self._until.pop(person.id, None)
                return True
            failures = self._failures.get(person.id, 0) + 1
            self._failures[person.id] = failures
            if failures >= FREE_TRIES:
                pause = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (failures - FREE_TRIES))
                self._until[person.id] = self._now() + pause
            return False

    def _right(self, person: Instructor | Trainee, pin: str) -> bool:
        if not pin or len(pin) > LONGEST_PIN or not person.pin_hash:
            return False
        try:
            return self._hasher.verify(person.pin_hash, pin)
        except (VerificationError, InvalidHashError):
            return False


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookies without their age in wall time: a box's clock may jump both ways."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session that the request's cookie holds, an empty one if it is not ours."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        cookie = request.cookies.get(self.get_cookie_name(app))
        if not cookie:
            return self.session_class()
        try:
            return self.session_class(serializer.loads(cookie, max_age=None))
        except BadSignature:
            return self.session_class()


def secret_key(folder: Path) -> bytes:
    """Return the key that signs cookies, made at the first call and readable by its owner only."""
    file = folder / "kiosk.key"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        old = os.umask(0o077)
        try:
            replace_file(file, secrets.token_bytes(32))
        finally:
            os.umask(old)
    return file.read_bytes()


def token() -> str:
    """Return the token that this session's forms must carry."""
    if "token" not in session:
        session["token"] = secrets.token_urlsafe(16)
    return cast(str, session["token"])


def check_token() -> None:
    """Refuse a POST whose token is not the session's own."""
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        given = request.form.get("token", "")
        if not hmac.compare_digest(given.encode(), str(session.get("token", "")).encode()):
            abort(400)


def log_in(instructor: Instructor) -> None:
    """Begin an instructor's session."""
    session.clear()
    reading = parts().ledger.clock.now()
    session["who"] = instructor.id
    session["boot"] = reading.boot
    session["seen"] = reading.mono // 10**9


def log_out() -> None:
    """End the instructor's session, if there is one."""
    for key in ("who", "boot", "seen"):
        session.pop(key, None)


def instructor() -> Instructor | None:
    """Return who is logged in, None when nobody is or nobody touched the screen for a while."""
    if "instructor" not in g:
        g.instructor = _instructor()
    return cast("Instructor | None", g.instructor)


def _instructor() -> Instructor | None:
    who = session.get("who")
    if not who:
        return None
    reading = parts().ledger.clock.now()
    now = reading.mono // 10**9
    if session.get("boot") != reading.boot or now - int(session.get("seen", 0)) > INACTIVE_S:
        log_out()
        return None
    with parts().ledger.store.read() as connection:
        found = next((one for one in queries.instructors(connection) if one.id == who), None)
    if found is None:
        log_out()
    elif now != session["seen"]:
        session["seen"] = now
    return found


def instructor_only(view: View) -> View:
    """Let only a logged-in instructor see *view*; others are sent to the PIN pad and back."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if instructor() is None:
            target = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("instructor.login", next=target))
        return view(*args, **kwargs)

    return cast(View, guarded)


def safe_next(target: str | None) -> str | None:
    """Return *target* when it is a path of our own."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")):
        return target
    return None
