"""Who agreed to face recognition, to which words, and who took it back.

Owns the table ``consent`` and the words that people agree to. The latest event of a person counts.
Promises that without a standing consent nobody is enrolled or looked up by face: the gallery of
templates is joined with this table.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.chain import Event
from edge.consent_events import ConsentGiven, ConsentWithdrawn
from edge.events import Body
from edge.model import Instant

# What is asked for separately. Only what this version can do is offered.
FACE_CHECK_IN = "face_check_in"
GUARDIAN_WAYS = ("present", "phone", "signed")
# Rules: under this age nobody's face is enrolled without a guardian's consent.
GUARDIAN_BELOW_YEARS = 14
VERSION = "2026-11"
# A change of a word is a new version: earlier events name the words by their hash.
TEXTS: dict[str, str] = {
    "zh": (
        "我同意本终端用我的人脸特征核对签到和签退。\n"
        "· 特征只加密保存在教室终端，不上传中心；仅当班级换终端时，加密转给新终端。\n"
        "· 班级结束或我撤回同意时，特征即被删除；已有的考勤记录按规定期限保存。\n"
        "· 不同意不影响上课：可以用密码或卡签到，或请老师登记。\n"
        "· 我可以随时在本屏幕或请老师撤回。未满14周岁须由监护人同意。"
    ),
    "en": (
        "I agree that this box checks me in and out by the features of my face.\n"
        "· They are kept encrypted on the classroom's box and never uploaded to the centre; "
        "only if the class changes its box do they go, encrypted, to the new one.\n"
        "· They are deleted when the class is complete or when I take this back; attendance "
        "already recorded is kept for its term.\n"
        "· Saying no has no effect on my classes: I can check in by PIN or card, or ask the "
        "instructor.\n"
        "· I can take this back at any time, at this screen or through the instructor. Under 14 "
        "a guardian must agree."
    ),
}


class BadConsent(ValueError):
    """Under 14 a guardian's name and the way they agreed are missing."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The latest word of a person on it. ``withdrawn_at`` is None while it stands."""

    given: ConsentGiven
    withdrawn_at: Instant | None

    @property
    def allows_face(self) -> bool:
        """Whether the face may be enrolled and looked up."""
        return self.withdrawn_at is None and FACE_CHECK_IN in self.given.choices


def text_sha256(language: str) -> str:
    """Return the SHA-256, in hex, of the words in *language*."""
    return hashlib.sha256(TEXTS[language].encode("utf-8")).hexdigest()


def agreed(
    person_id: str,
    language: str,
    way: str,
    given_at: Instant,
    *,
    witness: str = "",
    under_14: bool = False,
    guardian: str = "",
    guardian_way: str = "",
) -> ConsentGiven:
    """Return the consent of *person_id* to the present words. Raises BadConsent.

    Under 14 the guardian's name and one of GUARDIAN_WAYS are required.
    """
    guardian = guardian.strip()
    if under_14 and (not guardian or guardian_way not in GUARDIAN_WAYS):
        raise BadConsent("under 14 the guardian's name and how they agreed must be given")
    return ConsentGiven(
        person_id,
        (FACE_CHECK_IN,),
        VERSION,
        text_sha256(language),
        language,
        way,
        given_at,
        witness,
        guardian if under_14 else "",
        guardian_way if under_14 else "",
    )


def of_person(connection: sqlite3.Connection, person_id: str) -> Consent | None:
    """Return what *person_id* last said; None when they were never asked."""
    row = connection.execute("SELECT * FROM consent WHERE person_id = ?", (person_id,)).fetchone()
    if row is None:
        return None
    given = ConsentGiven(
        row["person_id"],
        tuple(filter(None, row["choices"].split(","))),
        row["text"],
        row["text_sha256"],
        row["language"],
        row["way"],
        row["given_at"],
        row["witness"],
        row["guardian"],
        row["guardian_way"],
        row["origin"],
    )
    return Consent(given, row["withdrawn_at"])


def allows_face(connection: sqlite3.Connection, person_id: str) -> bool:
    """Tell whether the face of *person_id* may be enrolled and looked up now."""
    found = of_person(connection, person_id)
    return found is not None and found.allows_face


def _given(connection: sqlite3.Connection, event: Event, body: ConsentGiven) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO consent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            body.person_id,
            ",".join(body.choices),
            body.text,
            body.text_sha256,
            body.language,
            body.way,
            body.given_at,
            body.witness,
            body.guardian,
            body.guardian_way,
            body.origin,
        ),
    )


def _withdrawn(connection: sqlite3.Connection, event: Event, body: ConsentWithdrawn) -> None:
    connection.execute(
        "UPDATE consent SET withdrawn_at = ? WHERE person_id = ?",
        (event.reading.at, body.person_id),
    )


APPLY: dict[type[Body], Callable[[sqlite3.Connection, Event, Any], None]] = {
    ConsentGiven: _given,
    ConsentWithdrawn: _withdrawn,
}
