"""The instructor's pages of a spot check: take, look, confirm; by phone where cameras are dead."""

from __future__ import annotations

import uuid
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file
from flask import url_for as url
from werkzeug.wrappers import Response as Answer

from edge import pictures, queries
from edge.look import qr
from edge.look.language import _, ngettext
from edge.model import Instant
from edge.rules.heads import compare
from kiosk_ui import access, facts, spot_checks, words
from kiosk_ui.access import instructor_only
from kiosk_ui.parts import parts
from kiosk_ui.screen import Sheet

pages = Blueprint("spot_check", __name__, url_prefix="/instructor")


def _found(lesson_id: str) -> tuple[Sheet, words.SpotCheck]:
    """Return the lesson, and how it stands with a spot check of it now."""
    with parts().ledger.store.read() as connection:
        lesson = queries.lesson(connection, lesson_id)
        if lesson is None:
            abort(404)
        sheet = facts.sheet(connection, lesson)
    return sheet, words.spot_check(sheet, _now(), ZoneInfo(parts().config.time_zone))


def _now() -> Instant:
    return parts().ledger.clock.now().at


def last_count(sheet: Sheet, now: Instant) -> tuple[Instant, words.Band] | None:
    """Return when heads were last counted in this lesson and what that says; None afterwards.

    After the lesson there is nothing left to do about it.
    """
    if now > sheet.lesson.end:
        return None
    with parts().ledger.store.read() as connection:
        copies = pictures.copies(connection, sheet.lesson.id)
        rows = [
            row for row in queries.snapshots(connection, sheet.lesson.id) if row["sha256"] in copies
        ]
    if not rows:
        return None
    last = max(rows, key=lambda row: int(row["at"]))
    heads, present = copies[last["sha256"]].heads, spot_checks.present_now(sheet, last["at"])
    return int(last["at"]), words.heads(heads, present, compare(heads, present))


@pages.get("/lessons/<lesson_id>/spot-check")
@instructor_only
def page(lesson_id: str) -> str:
    """Say whether a spot check can be taken; show what is proposed, and what was confirmed."""
    sheet, standing = _found(lesson_id)
    proposed = spot_checks.proposal(parts(), request.args.get("check", ""))
    with parts().ledger.store.read() as connection:
        taken = pictures.spot_checks(connection, lesson_id)
        copies = pictures.copies(connection, lesson_id)
        draw = queries.draw_of(connection, lesson_id)
    present = spot_checks.present_now(sheet, _now())
    heads = proposed.heads if proposed else -1
    return render_template(
        "spot_check.html",
        sheet=sheet,
        open=standing.open,
        why=standing.text,
        proposed=proposed,
        taken=taken,
        verdict=words.verdict(draw),
        copies=copies,
        present=present,
        heads=heads,
        said=words.heads(heads, present, compare(heads, present)) if heads >= 0 else None,
    )


@pages.post("/lessons/<lesson_id>/spot-check")
@instructor_only
def take(lesson_id: str) -> Answer:
    """Ask the recorder for pictures; the page fills itself when they are there."""
    if not _found(lesson_id)[1].open:
        return redirect(url("spot_check.page", lesson_id=lesson_id))
    check = spot_checks.propose(parts().ledger, lesson_id)
    return redirect(url("spot_check.page", lesson_id=lesson_id, check=check))


@pages.post("/lessons/<lesson_id>/spot-check/<check>")
@instructor_only
def confirm(lesson_id: str, check: str) -> Answer:
    """Store what the instructor looked at and confirms."""
    sheet, standing = _found(lesson_id)
    proposed = spot_checks.proposal(parts(), check)
    here = url("spot_check.page", lesson_id=lesson_id, check=check)
    if not standing.open or proposed is None or not proposed.items:
        flash(_("These pictures are no longer there. Nothing was stored: take new ones."), "care")
        return redirect(url("spot_check.page", lesson_id=lesson_id))
    chosen = [one.file for one in proposed.items if one.file in request.form.getlist("item")]
    if not any(one.sort == "photo" for one in proposed.items if one.file in chosen):
        flash(_("Choose at least one photo in which everyone can be seen."), "care")
        return redirect(here)
    me = access.instructor()
    assert me is not None
    present = spot_checks.present_now(sheet, _now())
    count = spot_checks.confirm(parts(), lesson_id, proposed, chosen, me.id, present)
    parts().phones.close()
    flash(
        ngettext(
            "The spot check is saved with %(num)d file. The authority decides",
            "The spot check is saved with %(num)d files. The authority decides",
            count,
        )
    )
    return redirect(url("spot_check.page", lesson_id=lesson_id))


@pages.post("/lessons/<lesson_id>/spot-check/phone")
@instructor_only
def phone(lesson_id: str) -> Answer | str:
    """Invite the instructor's phone: a code to scan, good for some minutes and one lesson."""
    if not _found(lesson_id)[1].open:
        return redirect(url("spot_check.page", lesson_id=lesson_id))
    check = uuid.uuid4().hex
    address = parts().phones.invite(parts(), check)
    if not address:
        flash(
            _("This box is on no local network, so a phone cannot reach it. Connect its cable."),
            "care",
        )
        return redirect(url("spot_check.page", lesson_id=lesson_id))
    return render_template(
        "spot_check_phone.html",
        lesson_id=lesson_id,
        check=check,
        address=address,
        code=qr.svg(address),
    )


@pages.get("/spot-check/<check>/count")
@instructor_only
def count(check: str) -> dict[str, int]:
    """Return how many pictures are there: the page asks until it is more than none.

    ``opened``: whether the phone has reached this box.
    """
    opened = int(parts().phones.opened(check))
    proposed = spot_checks.proposal(parts(), check)
    if proposed is None:
        return {"items": 0, "settled": 0, "opened": opened}
    settled = int(not proposed.waiting)
    return {"items": len(proposed.items), "settled": settled, "opened": opened}


@pages.get("/spot-check/files/<name>")
@instructor_only
def file(name: str) -> Response:
    """Send a proposed picture or clip."""
    path = spot_checks.file_of(parts(), name)
    if path is None:
        abort(404)
    kind = "video/mp4" if path.suffix == ".mp4" else "image/jpeg"
    return send_file(path, mimetype=kind, conditional=True)
