"""What the screen says, in the words of docs and catalogue: the band over the door's picture.

Owns the choice of the sentence; its translation is in ``translations``. Each refusal says its
reason, the next time it will work and another way. Names are masked here and nowhere later.
Must be called inside a request, which has the language.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton

from edge.clock import local
from edge.directions import APPROVED, Draw
from edge.look.language import _, locale, ngettext
from edge.model import SECOND, GapCause, Instant, Instructor, MissCause
from edge.rules.attendance import Kind
from edge.rules.credit import Credit
from edge.rules.heads import Agreement
from edge.rules.moments import Moment as When
from edge.rules.spot_check import Standing, spot_check_standing, spot_check_window
from kiosk_ui.facts import Facts, Greeted
from kiosk_ui.names import masked, surname
from kiosk_ui.screen import Moment, Phase, Sheet, moment


@dataclass(frozen=True, slots=True)
class Band:
    """One message. ``tone``: good | care | info | calm; ``mark`` stands beside it, for the eye."""

    tone: str
    headline: str
    detail: str = ""

    @property
    def mark(self) -> str:
        """Return the sign that goes with the tone, so that colour is never alone."""
        return {"good": "✓", "care": "!", "info": "i"}.get(self.tone, "")


def hhmm(instant: Instant, zone: ZoneInfo) -> str:
    """Return the time of day, with seconds only where the minute alone would mislead."""
    return local(instant, zone).strftime("%H:%M:%S" if instant % 60_000_000 else "%H:%M")


def clock(instant: Instant, zone: ZoneInfo) -> str:
    """Return the time of day in hours and minutes."""
    return local(instant, zone).strftime("%H:%M")


def exactness(moment: When | None, zone: ZoneInfo) -> str:
    """Return how exactly a time is known; nothing when it stands as the box wrote it."""
    if moment is None or moment.earliest == moment.latest:
        return ""
    if moment.known:
        return _("corrected, ± %(seconds)d s", seconds=-(-moment.error // SECOND))
    earliest = _dated(moment.earliest, zone)
    if moment.latest is None:
        return _("after %(earliest)s", earliest=earliest)
    return _(
        "between %(earliest)s and %(latest)s",
        earliest=earliest,
        latest=_dated(moment.latest, zone),
    )


def _dated(instant: Instant, zone: ZoneInfo) -> str:
    return local(instant, zone).strftime("%Y-%m-%d %H:%M")


def day(instant: Instant, zone: ZoneInfo) -> str:
    """Return the calendar day in the words of the language, such as 5月12日 周二."""
    return str(format_skeleton("MMMEd", local(instant, zone), locale=locale()))


def hours(indices: tuple[int, ...]) -> str:
    """Return which lesson hours a segment covers; *indices* count from 0."""
    numbers = [str(index + 1) for index in indices]
    if len(numbers) == 1:
        return _("lesson hour %(number)s", number=numbers[0])
    return _("lesson hours %(first)s–%(last)s", first=numbers[0], last=numbers[-1])


def room_words(room: str) -> str:
    """Return a room's name; a bare number is said to be a room."""
    return _("Room %(room)s", room=room) if room.isdecimal() else room


def called(instructor: Instructor | None) -> str:
    """Return how an instructor is addressed in public: by the family name."""
    name = surname(instructor.name) if instructor else ""
    return _("Instructor %(name)s", name=name) if name else _("Instructor")


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """How it stands with a spot check: whether it is due now, and when it is or why it is not."""

    open: bool
    text: str


def spot_check(sheet: Sheet, now: Instant, zone: ZoneInfo) -> SpotCheck:
    """Return how it stands with a spot check of the lesson (R6): greyed out unless it is due."""
    state = spot_check_standing(sheet.lesson, sheet.profile, sheet.drawn, now)
    window = spot_check_window(sheet.lesson, sheet.profile)
    if window is None or state in (Standing.NOT_DRAWN, Standing.NOT_TAUGHT):
        text = {
            Standing.NOT_DRAWN: _("This lesson was not drawn"),
            Standing.NOT_TAUGHT: _("This lesson does not take place"),
        }.get(state, _("Not possible: the lesson is too short"))
        return SpotCheck(False, text)
    opens, closes = hhmm(window.opens, zone), hhmm(window.closes, zone)
    if state is Standing.OVER:
        return SpotCheck(
            False, _("Drawn; it was due %(opens)s–%(closes)s", opens=opens, closes=closes)
        )
    text = _("Drawn; due %(opens)s–%(closes)s", opens=opens, closes=closes)
    return SpotCheck(state is Standing.OPEN, text)


def band(facts: Facts) -> Band | None:
    """Return the message for the person at the door, None when there is nothing to say."""
    zone = facts.zone
    if facts.greeted:
        return greeting(facts.greeted, zone, facts.now)
    if facts.current is None:
        return None
    found = moment(facts.current, facts.now)
    if found.phase is Phase.OVER:
        return farewell(facts.current, facts.services.link.waiting)
    if found.phase in (Phase.CHECK_IN, Phase.CHECK_OUT):
        guided = guidance(facts.services.door.guide)
        if guided:
            return guided
    elif not facts.services.picture:
        return None
    return standing(found, zone)


def greeting(greeted: Greeted, zone: ZoneInfo, now: Instant) -> Band:
    """Return the answer to a scan that is stored: what happened, what comes next."""
    sheet, meaning = greeted.sheet, greeted.meaning
    if sheet is None or meaning is None:
        if greeted.name:
            return Band("info", _("%(who)s, recorded", who=masked(greeted.name)))
        return Band(
            "care",
            _("We did not find you on this class's roster"),
            _("Your arrival is noted. Please ask the instructor"),
        )
    who = _who(greeted)
    saved = _("Saved at %(time)s", time=clock(greeted.scan.at, zone))
    next_at = hhmm(meaning.next_at, zone) if meaning.next_at is not None else ""
    segment = meaning.segment
    if meaning.kind is Kind.CHECK_IN:
        follow = _("check-out starts %(time)s", time=next_at)
        return Band("good", _("%(who)s, checked in", who=who), _join(saved, follow))
    if meaning.kind is Kind.CHECK_OUT:
        if meaning.next_at is None:
            return Band("good", _("%(who)s, checked out", who=who), _join(saved, _("Safe journey")))
        if meaning.next_at <= greeted.scan.at:
            return Band(
                "good",
                _("%(who)s, checked out", who=who),
                _("For the next lesson, look once more to check in"),
            )
        follow = _("next check-in starts %(time)s", time=next_at)
        return Band("good", _("%(who)s, checked out", who=who), _join(saved, follow))
    if meaning.kind is Kind.HANDOVER:
        follow = _("check-out starts %(time)s", time=next_at)
        return Band(
            "good",
            _("%(who)s, checked out and in again", who=who),
            _join(_("for the next lesson hours too"), follow),
        )
    if meaning.kind is Kind.UNUSED:
        limit = _("This scan is beyond today's limit and is not used")
        return Band("info", _("%(who)s, recorded", who=who), limit)
    if meaning.kind is Kind.ALREADY and segment is not None:
        mark = greeted.marks[segment.number]
        since = clock(mark.check_in.at if mark.check_in else greeted.scan.at, zone)
        return Band(
            "info",
            _("Already checked in at %(time)s", time=since),
            _join(who, _("check-out starts %(time)s", time=next_at)),
        )
    if meaning.kind is Kind.TOO_EARLY:
        return Band(
            "info",
            _("Check-in starts at %(time)s, please wait", time=next_at),
            _join(who, sheet.lesson.class_name),
        )
    if meaning.kind is Kind.TOO_LATE and segment is not None:
        closed = hhmm(segment.check_in.closes, zone)
        ask = _("Your arrival is noted. Please see the instructor about anything special")
        follow = _("next check-in starts %(time)s", time=next_at) if next_at else ""
        return Band("care", _("Check-in closed at %(time)s", time=closed), _join(ask, follow))
    return Band("info", _("%(who)s, recorded", who=who), saved)


def guidance(guide: str) -> Band | None:
    """Return what the person at the door should do now, None when nothing is to be said."""
    if guide == "not_recognised":
        return Band(
            "care",
            _("We did not recognise you"),
            _(
                "Show your face from brows to chin and look at the camera again, "
                "or ask the instructor"
            ),
        )
    if guide == "step_aside":
        return Band(
            "care",
            _("Please step aside so that others can go on"),
            _("The instructor can enter you by hand"),
        )
    if guide == "camera_out":
        return Band(
            "care",
            _("The door camera gives no picture"),
            _("Please ask the instructor to enter you"),
        )
    said = {
        "come_closer": _("Please come a little closer"),
        "one_at_a_time": _("One at a time, please"),
        "hold_still": _("Please hold still for a moment"),
        "looking": _("Looking …"),
    }.get(guide)
    return Band("info", said) if said else None


def standing(found: Moment, zone: ZoneInfo) -> Band | None:
    """Return what stands there while nobody is at the door."""
    if found.phase is Phase.CHECK_IN:
        return Band("calm", _("Look at the camera to check in"))
    if found.phase is Phase.CHECK_OUT:
        if found.also is not None:
            return Band(
                "calm",
                _("Look at the camera to check out"),
                _("For the next lesson, look once more to check in"),
            )
        if found.after_end and found.waiting:
            return Band("info", _("The lesson is over: please check out"), _left(found))
        return Band("calm", _("Look at the camera to check out"))
    if found.phase is Phase.UPCOMING and found.until is not None:
        return Band(
            "calm", _("Check-in starts at %(time)s, please wait", time=hhmm(found.until, zone))
        )
    return None


def farewell(sheet: Sheet, waiting: int) -> Band:
    """Return the last word of a lesson: whether it is safe to go."""
    later = (
        ngettext("%(num)d item uploads later", "%(num)d items upload later", waiting)
        if waiting
        else _("Everything has been uploaded")
    )
    if sheet.held:
        return Band("good", _("This lesson is saved, you may go"), later)
    return Band("info", _("The time for check-out is over"), _("All records are saved"))


def _left(found: Moment) -> str:
    left = len(found.waiting)
    return ngettext(
        "%(num)d person has not checked out", "%(num)d people have not checked out", left
    )


def _who(greeted: Greeted) -> str:
    name = masked(greeted.name)
    number = greeted.trainee.number if greeted.trainee else ""
    return _("%(name)s (%(number)s)", name=name, number=number) if number else name


def _join(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def reason_words(code: str) -> str:
    """Return the words of a coded reason for a manual entry (R9)."""
    return {
        "face_not_recognised": _("Face not recognised"),
        "face_not_enrolled": _("Face not enrolled"),
        "camera_out": _("Door camera out of order"),
        "declined_face": _("Prefers not to use the face"),
    }.get(code, code)


def credit_words(credit: Credit) -> str:
    """Return the state of a lesson hour in words."""
    return {
        Credit.VALID: _("counts"),
        Credit.PENDING: _("to be reviewed"),
        Credit.INVALID: _("does not count"),
    }[credit]


def refusal(code: str) -> str:
    """Return why a lesson cannot be opened or ended now, in words."""
    return {
        "unknown_lesson": _("This lesson is no longer on the timetable."),
        "too_early": _("It is too early to start this lesson."),
        "too_late": _("This lesson's time is over, it can no longer be started."),
        "cancelled": _("This lesson is cancelled."),
        "postponed": _("This lesson is postponed."),
        "made_up": _("This lesson was made up at another time."),
        "held": _("This lesson has been held and ended."),
        "planned": _("This lesson has not been started."),
    }.get(code, _("That is not possible now."))


def heads(count: int, present: int, agreement: Agreement) -> Band:
    """Return what a head count says to the instructor, and what to do while there is time."""
    said = _(
        "About %(heads)d people in the picture, %(present)d checked in",
        heads=count,
        present=present,
    )
    if agreement is Agreement.FEWER:
        todo = _("Is everyone in view of the camera? Look who has left the room")
        return Band("care", said, todo)
    if agreement is Agreement.MORE:
        todo = _("Somebody may not have checked in: look at the list of who is missing")
        return Band("care", said, todo)
    return Band("good", said)


def miss(cause: str) -> str:
    """Return why a snapshot was missed, in a few words; empty for what older software wrote."""
    words: dict[str, str] = {
        MissCause.CAMERA_UNREACHABLE: _("the camera does not answer"),
        MissCause.CAMERA_SILENT: _("the camera froze or its cable was cut"),
        MissCause.CAMERA_HUNG_UP: _("the camera closed the connection"),
        MissCause.LOGIN_REFUSED: _("the camera refused the password"),
        MissCause.PICTURE_UNUSABLE: _("the picture was damaged"),
        MissCause.ANSWERED_LATE: _("the camera answered too late"),
        MissCause.DISK_FULL: _("the disk was full"),
        MissCause.RECORDER_OFF: _("the box or its recorder was off"),
        MissCause.NO_CAMERA: _("no camera is set up"),
    }
    return words.get(cause, "")


def gap(cause: str) -> str:
    """Return why video is missing, in a few words; one of model.GapCause."""
    words: dict[str, str] = {
        GapCause.CAMERA_UNREACHABLE: _("the camera does not answer"),
        GapCause.CAMERA_SILENT: _("the camera froze or its cable was cut"),
        GapCause.CAMERA_HUNG_UP: _("the camera closed the connection"),
        GapCause.LOGIN_REFUSED: _("the camera refused the password"),
        GapCause.VIDEO_UNUSABLE: _("the camera's video cannot be recorded"),
        GapCause.DISK_FULL: _("the disk was full"),
        GapCause.WRITING_FAILED: _("the box could not write the recording"),
        GapCause.RECORDER_OFF: _("the box or its recorder was off"),
        GapCause.KNOWN_LATE: _("the timetable came too late"),
        GapCause.NO_PICTURE_YET: _("the camera gave no picture in time"),
    }
    return words.get(cause, _("cause not known"))


def verdict(draw: Draw | None) -> tuple[str, str]:
    """Return how the authority decided on a spot check: the state's tone, and the words."""
    found = draw.verdict if draw else None
    if found is None:
        return "planned", _("Waits for the authority")
    if found.result == APPROVED:
        return "held", _("Approved by the authority")
    if found.reason:
        return "missed", _("Rejected by the authority: %(reason)s", reason=found.reason)
    return "missed", _("Rejected by the authority")
