"""The kinds of event about consent to face recognition, and about templates that travel. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.events import Body
from edge.model import Instant


@dataclass(frozen=True)
class ConsentGiven(Body, kind="consent.given"):
    """A person agreed, choice by choice, to what ``text`` (a version of edge.consents) says.

    ``text_sha256`` is of the words in ``language`` that they read. ``way``: kiosk | signed (a form
    that the school keeps). ``witness``: the instructor logged in, if any. ``guardian`` and
    ``guardian_way`` (present | phone | signed) are filled in when the person is under 14.
    ``given_at``: when, by the box that asked; ``origin``: that box, when the consent came with
    templates from another one, else empty.
    """

    person_id: str
    choices: Sequence[str]
    text: str
    text_sha256: str
    language: str
    way: str
    given_at: Instant
    witness: str = ""
    guardian: str = ""
    guardian_way: str = ""
    origin: str = ""


@dataclass(frozen=True)
class ConsentWithdrawn(Body, kind="consent.withdrawn"):
    """A person took consent back. ``way``: kiosk | staff; ``witness``: an instructor, if any."""

    person_id: str
    way: str
    witness: str = ""


@dataclass(frozen=True)
class EnrolmentRefused(Body, kind="person.enrolment_refused"):
    """A photo was refused for a person; ``reason``: somebody_else (another trainee's face)."""

    person_id: str
    reason: str


@dataclass(frozen=True)
class TemplateSent(Body, kind="person.template_sent"):
    """A person's templates were sealed to box ``to``, in the file ``package`` (its id)."""

    person_id: str
    to: str
    package: str
    expires: Instant


@dataclass(frozen=True)
class TemplateReceived(Body, kind="person.template_received"):
    """A person's templates came from box ``origin``, in the file ``package`` (its id)."""

    person_id: str
    origin: str
    package: str
    model: str
    model_version: str

    @staticmethod
    def id_of(package: str, person_id: str) -> str:
        """Return the id of this event, by which a second import of a file is known."""
        return f"template-received-{package}-{person_id}"


ABOUT_A_PERSON = (
    ConsentGiven,
    ConsentWithdrawn,
    EnrolmentRefused,
    TemplateSent,
    TemplateReceived,
)
