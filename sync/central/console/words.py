"""What the console says: codes, times and sizes in the language of the request.

Owns the choice of the sentence; its translation is in ``translations``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from babel.dates import format_date

from edge.clock import local
from edge.directions import APPROVED, Draw
from edge.look.language import _, locale, ngettext
from edge.model import SECOND, Duration, Instant
from edge.rules.credit import Credit
from edge.rules.moments import Moment
from edge.rules.standing import Unusual, warnings
from sync.central.attention import Item
from sync.central.console import faults
from sync.central.views import Evidence, SpotCheck


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the attention list: a tag, whom it is about, what is the matter."""

    tag: str
    about: str
    text: str


def credit(state: Credit) -> str:
    """Return the state of a lesson hour."""
    return {
        Credit.VALID: _("counts"),
        Credit.PENDING: _("to be reviewed"),
        Credit.INVALID: _("does not count"),
    }[state]


def unusual(of: Evidence) -> list[str]:
    """Return what is unusual about a lesson's class (R16); nothing while its roster is unknown."""
    if not of.attendees or not of.teachers:
        return []
    said = {
        Unusual.TOO_LARGE: _("more than %(size)d trainees", size=of.profile.classes.size),
        Unusual.TOO_FEW_TEACHERS: _(
            "more than %(count)d trainees for each teacher",
            count=of.profile.classes.trainees_a_teacher,
        ),
        Unusual.NO_FULL_TIME_TEACHER: _("no full-time teacher"),
    }
    return [said[one] for one in warnings(len(of.attendees), of.teachers, of.profile)]


def hhmm(at: Instant, zone: ZoneInfo) -> str:
    """Return the time of day."""
    return local(at, zone).strftime("%H:%M")


def hhmmss(at: Instant, zone: ZoneInfo) -> str:
    """Return the time of day to the second."""
    return local(at, zone).strftime("%H:%M:%S")


def day(at: Instant, zone: ZoneInfo) -> str:
    """Return the date with its weekday, such as 2026-11-23 星期一."""
    moment = local(at, zone)
    return f"{moment:%Y-%m-%d} {format_date(moment, 'EEEE', locale=locale())}"


def when(at: Instant, now: Instant, zone: ZoneInfo) -> str:
    """Return a time of day, with the date when it is not today."""
    moment = local(at, zone)
    today = moment.date() == local(now, zone).date()
    return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def exactness(moment: Moment, now: Instant, zone: ZoneInfo) -> str:
    """Return how exactly a time is known; nothing when it stands as the box wrote it."""
    if moment.earliest == moment.latest:
        return ""
    if moment.known:
        return _("corrected, ± %(seconds)d s", seconds=-(-moment.error // SECOND))
    earliest = when(moment.earliest, now, zone)
    if moment.latest is None:
        return _("after %(earliest)s", earliest=earliest)
    latest = when(moment.latest, now, zone)
    return _("between %(earliest)s and %(latest)s", earliest=earliest, latest=latest)


def room(name: str) -> str:
    """Return a room's name; a bare number is said to be a room."""
    return _("Room %(room)s", room=name) if name.isdecimal() else name


def size(count: int) -> str:
    """Return a number of bytes for people."""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit in ("B", "KB") else f"{value:.1f} {unit}"
        value /= 1000
    return ""


def lasting(duration: Duration) -> str:
    """Return a length of time in minutes and seconds."""
    minutes, seconds = divmod(duration // 1_000_000, 60)
    if minutes and seconds:
        return _("%(minutes)d min %(seconds)d s", minutes=minutes, seconds=seconds)
    if minutes:
        return _("%(minutes)d min", minutes=minutes)
    return _("%(seconds)d s", seconds=seconds)


def status(code: str) -> str:
    """Return how a lesson stands, in one word."""
    return {
        "planned": _("Not begun"),
        "running": _("Normal"),
        "held": _("Held"),
        "cancelled": _("Cancelled"),
        "postponed": _("Postponed"),
        "made_up": _("Made up"),
        "not_opened": _("Not started"),
        "not_held": _("Not held"),
        "silent": _("Box silent"),
        "not_recording": _("Not recording"),
        "gap": _("Gap in video"),
        "missed": _("Snapshot missing"),
    }.get(code, code)


def reason(code: str) -> str:
    """Return the reason of a manual entry."""
    return {
        "face_not_recognised": _("Face not recognised"),
        "face_not_enrolled": _("Face not enrolled"),
        "camera_out": _("Camera out"),
        "declined_face": _("Declined face recognition"),
    }.get(code, code)


def cause(text: str) -> str:
    """Return in a few words why something is missing: a gap's cause, or what a box explains."""
    known = (
        ("camera_unreachable", _("the camera does not answer")),
        ("camera_silent", _("the camera froze or its cable was cut")),
        ("camera_hung_up", _("the camera closed the connection")),
        ("login_refused", _("the camera refused the password")),
        ("video_unusable", _("the camera's video cannot be recorded")),
        ("disk_full", _("the disk was full")),
        ("writing_failed", _("the box could not write the recording")),
        ("recorder_off", _("the box or its recorder was off")),
        ("picture_unusable", _("the picture was damaged")),
        ("answered_late", _("the camera answered too late")),
        ("no_camera", _("no camera is set up")),
        ("known_late", _("the timetable came too late")),
        ("no_picture_yet", _("the camera gave no picture in time")),
        ("disk is full", _("the disk was full")),
        ("refused the user name", _("the camera refused the password")),
        ("No classroom camera", _("no camera is set up")),
        ("became known to the box only after", _("the timetable came too late")),
        ("recorder was not running", _("the box or its recorder was off")),
        ("only after the time was over", _("the camera answered too late")),
        ("gave no video in time", _("the camera gave no picture in time")),
        ("cannot be reached", _("the camera does not answer")),
        ("no answer", _("the camera does not answer")),
        ("does not answer", _("the camera does not answer")),
        ("closed the connection", _("the camera closed the connection")),
        ("unknown", _("cause not known")),
    )
    return next((words for part, words in known if part in text), text)


def item(of: Item, now: Instant, zone: ZoneInfo) -> Said:
    """Return the words for one thing that needs somebody."""
    about = " · ".join(filter(None, (room(of.room), of.class_name, of.box)))
    at = when(of.at, now, zone)[:5] if of.at else ""
    why = cause(of.cause) if of.cause else ""
    match of.code:
        case "silent":
            tag = _("Box silent")
            text = _(
                "last heard at %(time)s; check its power and network", time=_long(of, now, zone)
            )
        case "not_opened":
            tag, text = _("Not started"), _("was due at %(time)s; remind the instructor", time=at)
        case "not_held":
            tag, text = _("Not held"), _("planned for %(time)s and never started", time=at)
        case "not_recording":
            tag = _("Not recording")
            text = _("no video since %(time)s; check-in is not affected", time=at)
        case "gap":
            tag = _("Gap in video")
            text = ngettext(
                "%(num)d minute of video is missing from %(time)s (%(why)s)",
                "%(num)d minutes of video are missing from %(time)s (%(why)s)",
                of.count,
                time=at,
                why=why,
            )
        case "missed":
            tag = _("Snapshot missing")
            text = ngettext(
                "%(num)d snapshot is missing, last at %(time)s (%(why)s)",
                "%(num)d snapshots are missing, last at %(time)s (%(why)s)",
                of.count,
                time=at,
                why=why,
            )
        case "by_hand":
            tag = _("Many manual entries")
            text = _(
                "%(count)d of %(whole)d entered by hand; check one by one",
                count=of.count,
                whole=of.whole,
            )
        case "not_checked_out":
            tag = _("Not checked out")
            text = ngettext(
                "%(num)d person never checked out",
                "%(num)d people never checked out",
                of.count,
            )
        case "strangers":
            tag = _("Not on roster")
            text = ngettext(
                "%(num)d person who is not on the roster was recorded",
                "%(num)d people who are not on the roster were recorded",
                of.count,
            )
        case "clock":
            tag = _("Clock doubtful")
            text = _("its records are marked until it is synchronised")
        case "document_refused":
            tag = _("Document refused")
            kind, _colon, reason = of.cause.partition(": ")
            text = _(
                "%(kind)s, version %(version)d: the box keeps the one it has. Publish a corrected "
                "one: %(reason)s",
                kind=document(kind),
                version=of.count,
                reason=reason,
            )
        case code if code.startswith("alert_"):
            tag, text = faults.said(code.removeprefix("alert_"), of.subject, at)
        case "camera_refused":
            tag = _("Camera refuses")
            text = _("wrong password since %(time)s; correct it on the box", time=at)
        case code if code.startswith("camera_"):
            tag = _("Camera out")
            text = _("since %(time)s (%(why)s)", time=at, why=why or _("cause not known"))
        case _:
            tag, text = _incident(of)
    return Said(tag, about, text)


def _long(of: Item, now: Instant, zone: ZoneInfo) -> str:
    return when(of.at, now, zone)


def document(kind: str) -> str:
    """Return the name of a kind of document."""
    return {
        "profiles": _("Rules"),
        "roster": _("Roster"),
        "timetable": _("Timetable"),
        "draws": _("Spot check draws"),
        "decisions": _("Decisions about hours"),
        "bindings": _("Cameras"),
        "notices": _("Notices"),
    }.get(kind, kind)


def incident(code: str) -> str:
    """Return the name of an incident."""
    return {
        "fork": _("Ledger forked"),
        "forged": _("Record not genuine"),
        "duplicate_id": _("Record twice"),
        "other_key": _("Unknown key"),
        "other_box": _("Ledger of another box"),
        "unknown_box": _("Box not enrolled"),
        "revoked": _("Revoked box"),
        "bad_message": _("Unreadable message"),
        "unreadable": _("Unreadable record"),
        "bad_media": _("Damaged file"),
        "restored": _("Box set back"),
        "forked": _("Two histories"),
        "lost": _("Records lost"),
        "cloned": _("Copied disk"),
        "centre_behind": _("Centre set back"),
        "lineage": _("Unknown origin"),
    }.get(code, code)


def _incident(of: Item) -> tuple[str, str]:
    code = of.code.removeprefix("incident_")
    text = {
        "fork": _("two different histories of one box: its disk was copied or set back"),
        "forged": _("a record does not match its signature and was not stored"),
        "duplicate_id": _("a record came a second time under another number"),
        "other_key": _("another machine uses this box's name; neither is trusted until checked"),
        "other_box": _("sends the ledger of another box: its disk was copied"),
        "unknown_box": _("speaks without being enrolled here: enrol it, or find out what it is"),
        "revoked": _("was revoked and still speaks: restart the broker to end its connection"),
        "bad_message": _("sent messages that cannot be read; is its software up to date?"),
        "unreadable": _("a record was stored but makes no sense"),
        "bad_media": _("a picture arrived damaged; the box's disk may be failing"),
        "restored": _("its disk is an older copy; both histories are kept apart"),
        "forked": _("another copy of its disk wrote other records; both are kept apart"),
        "lost": _("records that it had never arrived; ask the school for its own evidence"),
        "cloned": _("two machines write under this name; take one of them out of service"),
        "centre_behind": _("our own store was restored from a backup; it sends everything again"),
        "lineage": _("says otherwise than before where its ledger comes from; keep its disk"),
    }.get(code, of.cause)
    return incident(code), text


def verdict(draw: Draw | None, taken: Sequence[SpotCheck]) -> tuple[str, str]:
    """Return how a lesson's spot check stands: the tone, and the words. Pending is not rejected."""
    found = draw.verdict if draw else None
    if found is not None and found.result == APPROVED:
        return "good", _("approved")
    if found is not None:
        return "bad", _("rejected")
    return ("", _("to be reviewed")) if taken else ("care", _("drawn"))
