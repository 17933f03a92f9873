"""Camera logins in a document: sealed to their box before anything is stored.

Promises that the centre keeps no password and no verification code that it could read again.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from sqlalchemy import Connection, select

from edge.directions import SECRETS
from edge.documents import BadDocument
from edge.events import canonical
from edge.keys import Signer
from sync import seal
from sync.central import tables
from sync.seal import CAMERA_LOGIN, Letter


def with_sealed_logins(connection: Connection, box: str, content: bytes, signer: Signer) -> bytes:
    """Return the document ``bindings`` with each camera's login sealed to *box*.

    Raises BadDocument where a login is no text, or the box has not yet said its key. What is
    otherwise wrong with the document is for its reader to say.
    """
    try:
        values = json.loads(content)
    except ValueError:
        return content
    cameras = values.get("cameras") if isinstance(values, dict) else None
    if not isinstance(cameras, list):
        return content
    for number, entry in enumerate(cameras):
        if isinstance(entry, dict) and any(key in entry for key in SECRETS):
            place = f"cameras[{number}]"
            entry["login"] = _sealed(connection, box, entry, place, signer)
    return canonical(values)


def _sealed(
    connection: Connection, box: str, entry: dict[str, Any], place: str, signer: Signer
) -> str:
    login = {key: entry.pop(key) for key in SECRETS if key in entry}
    for key, value in login.items():
        if not isinstance(value, str):
            raise BadDocument(f"{place}.{key}: must be text")
    table = tables.box
    sealing_key = connection.execute(select(table.c.sealing_key).where(table.c.id == box)).scalar()
    if sealing_key is None:
        raise BadDocument(
            f"{place}: box {box} has not said its key yet, so nothing is sealed to it. Enrol it "
            "and let it connect once, or publish without user, password and code and enter them "
            "at the box: classbox cameras login"
        )
    letter = Letter(box, CAMERA_LOGIN, {"camera": str(entry.get("id", ""))}, canonical(login))
    return base64.b64encode(seal.seal(letter, bytes(sealing_key), signer.sign)).decode("ascii")
