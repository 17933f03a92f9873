"""Stored photos, snapshots and recordings, for logged-in instructors, with Range for seeking."""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, send_file

from kiosk_ui.access import instructor
from kiosk_ui.parts import parts

pages = Blueprint("media", __name__)

_NAME = re.compile(r"[0-9a-f]{64}")
_TYPES = {"recording": "video/mp4", "snapshot": "image/jpeg", "photo": "image/jpeg"}


@pages.get("/media/<sha256>")
def media(sha256: str) -> Response:
    """Send one file that an event names; without a login it does not exist."""
    if instructor() is None or not _NAME.fullmatch(sha256):
        abort(404)
    with parts().ledger.store.read() as connection:
        row = connection.execute("SELECT sort FROM media WHERE sha256 = ?", (sha256,)).fetchone()
    file = parts().media.path(sha256)
    if row is None or not file.is_file():
        abort(404)
    response = send_file(file, mimetype=_TYPES[row["sort"]], conditional=True, etag=sha256)
    response.headers["Cache-Control"] = "private, no-store"
    return response
