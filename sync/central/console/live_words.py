"""The words of live view and of recording by hand: codes of boxes as sentences with a remedy."""

from __future__ import annotations

from edge.look.language import _
from edge.rules.live import Refusal
from sync.central.viewing import Seen, Stage


def seen(of: Seen) -> str:
    """Return one line about what is seen, or why nothing is."""
    match of.stage:
        case Stage.LIVE:
            return _("Live")
        case Stage.OLD:
            return _("Not live: the picture is %(seconds)d s old", seconds=round(of.age))
        case Stage.NO_PICTURE:
            return _("No picture from the camera: %(why)s", why=camera(of.why))
        case Stage.REFUSED:
            return refusal(of.why)
        case Stage.ENDED:
            return ended(of.why)
    return {
        Stage.ASKING: _("Asking the box …"),
        Stage.COMING: _("The box has agreed; the first picture is on its way."),
        Stage.NO_ANSWER: _("The box did not answer within 20 s. Try again when it is online."),
        Stage.NO_BROKER: _(
            "The console has no connection to the broker; it tries again by itself."
        ),
        Stage.TOO_MANY: _("Too many people look at the same time. Close a page and try again."),
        Stage.NOT_SET_UP: _(
            "Live view is not set up: run “classbox-central broker init”, then restart the broker "
            "and the console."
        ),
    }[of.stage]


def camera(state: str) -> str:
    """Return why a camera gives no picture."""
    return {
        "offline": _("it cannot be reached; check its power and cable"),
        "refused": _("it refuses the password"),
        "unusable": _("its video cannot be used; set it to H.264"),
        "disk_full": _("the box's storage is full"),
        "waiting": _("it is being dialled"),
        "online": _("it is being dialled"),
    }.get(state, state)


def refusal(reason: str) -> str:
    """Return why a box shows nothing."""
    return {
        str(Refusal.NO_LESSON): _(
            "No lesson is being filmed in this room now. A camera is shown only during lessons."
        ),
        str(Refusal.NO_CAMERA): _("No camera films the lesson in this room. Bind or link one."),
        str(Refusal.TOO_MANY): _("Several people look into this room already."),
    }.get(reason, _("The box refused: %(reason)s", reason=reason))


def ended(cause: str) -> str:
    """Return why a view ended."""
    return {
        "unwatched": _("Stopped: nobody was looking for 15 s."),
        "limit": _("Stopped after 10 minutes. Press again to go on."),
        "lesson_over": _("Stopped: the lesson is no longer being filmed."),
        "link_restarted": _("Stopped: the box was restarted."),
    }.get(cause, _("Stopped"))


def order(state: str, why: str, silent: bool) -> tuple[str, str]:
    """Return the level and the words of an order to record by hand."""
    if state == "waiting" and silent:
        return "bad", _("the box is offline; it begins once it is back before the lesson ends")
    if state == "refused":
        if why.startswith("too early"):
            return "care", _("refused: too early by the box's clock")
        if why.startswith("too late"):
            return "care", _("refused: the lesson is over")
        if why.startswith("this box knows no such lesson"):
            return "bad", _("refused: the box does not know this lesson; publish its timetable")
        return "bad", _("refused: %(reason)s", reason=why)
    return {
        "done": ("good", _("recording was started")),
        "waiting": ("care", _("sent; the box has not answered yet")),
        "expired": ("bad", _("not carried out: the box did not come back in time")),
    }[state]


DEVICES = ("recording", "idle", "fault", "offline")


def offline(since: str) -> str:
    """Return what is said of a box that is silent since then."""
    return _("The box is offline since %(time)s; check its power and network.", time=since)


def device(state: str) -> str:
    """Return how the device of a lesson stands, in a word; one of ``DEVICES``."""
    return {
        "recording": _("Being recorded"),
        "idle": _("Not recording"),
        "fault": _("Fault"),
        "offline": _("Box offline"),
    }[state]
