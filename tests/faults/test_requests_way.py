"""Requests on their way to a box, a box that was away for long, and an erasure at both ends."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

from edge.documents import ROSTER, TIMETABLE, roster_to_json, timetable_to_json
from edge.events import ScanMade
from edge.model import DAY, Trainee
from sync.central import requests, tables, withdrawal
from tests.boxes import at, roster_of, two_hours
from tests.faults.stage import BOX, Stage
from tests.processes import wait_for

WHO = "p-erased-person"
NAME = "司徒忘我"
PHOTO = secrets.token_bytes(60_000)


def ask(stage: Stage, kind: str, ago: int = 0, **args: object) -> str:
    """File a request that is worth doing for a day, as long *ago* as that."""
    now = stage.clock.now().at - ago
    with stage.store.writing() as connection:
        return requests.file(connection, now, BOX, kind, args, "a clerk", DAY)


def states(stage: Stage) -> dict[str, str]:
    """Return the state of each request."""
    with stage.store.reading() as connection:
        told = requests.listed(connection, stage.clock.now().at, everything=True)
    return {str(one["id"]): str(one["state"]) for one in told}


def with_person() -> bytes:
    """Return a roster with WHO among others."""
    roster = roster_of(5)
    (group,) = roster.classes
    trainees = (*group.trainees, Trainee(WHO, "99", NAME))
    return roster_to_json(replace(roster, classes=(replace(group, trainees=trainees),)))


def traces(folder: Path) -> list[str]:
    """Return the files below *folder* in which id, name or photo of WHO stand."""
    needles = (WHO.encode(), NAME.encode(), PHOTO[:64])
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and any(needle in file.read_bytes() for needle in needles)
    ]


def test_requests_reach_a_box_that_runs_and_one_that_comes_later(stage: Stage) -> None:
    """Sent when filed, and again in answer to a hello: each is answered once."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    first = ask(stage, "resync")
    wait_for("it is answered", lambda: states(stage) == {first: "answered"}, 60)
    stage.link.stop()
    second, third = ask(stage, "live_view"), ask(stage, "dance")
    stage.ingest.stop()
    stage.broker.kill()
    stage.broker.start()
    stage.start(stage.ingest, stage.link)
    wait_for("so are the others", lambda: "open" not in states(stage).values(), 60)
    assert states(stage) == {first: "answered", second: "refused", third: "refused"}
    stage.wait_until_complete()
    kinds = [row.kind for row in stage.rows(tables.event)]
    assert (kinds.count("request.answered"), kinds.count("request.refused")) == (1, 2)


def test_a_box_that_was_away_for_a_month_catches_up(stage: Stage) -> None:
    """Only the newest documents take effect; what expired meanwhile is not carried out."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    stage.link.stop()
    for count in range(2, 12):
        stage.publish(ROSTER, roster_to_json(roster_of(count)))
    stage.publish(TIMETABLE, timetable_to_json((two_hours(at("09:00")),)))
    late = ask(stage, "resync", ago=29 * DAY)
    due = ask(stage, "resync")
    stage.write(500)
    stage.broker.kill()
    stage.broker.start()
    wait_for("the centre is there", lambda: stage.ingest.log.read_text().count("connected to") > 1)
    stage.start(stage.link)
    wait_for("the newest is in force", lambda: stage.in_force() == {ROSTER: 10, TIMETABLE: 1}, 60)
    wait_for("the request is answered", lambda: states(stage)[due] == "answered", 60)
    assert states(stage)[late] == "expired"
    stage.wait_until_complete()
    kinds = [row.kind for row in stage.rows(tables.event)]
    assert kinds.count("document.applied") == 2
    assert kinds.count("request.answered") == 1


def test_a_person_is_erased_at_both_ends(stage: Stage) -> None:
    """A byte search of both data folders finds nothing; the chain verifies on both sides."""
    stage.publish(ROSTER, with_person())
    stage.start(stage.ingest, stage.link)
    wait_for("the roster is in force", lambda: stage.in_force() == {ROSTER: 1}, 60)
    draft = stage.media.draft(ScanMade(WHO, stage.clock.now().at, "face", ""), "photo")
    draft.write(PHOTO)
    draft.store(stage.ledger)
    kept = stage.photo(b"somebody else")
    stage.wait_for_media(kept)
    stage.wait_until_complete()
    box, centre = stage.folder / "box", stage.config.data_dir
    assert traces(box) != []
    assert traces(centre) != []

    stage.publish(ROSTER, roster_to_json(roster_of(5)))
    with stage.store.writing() as connection:
        now, epoch = stage.clock.now().at, stage.store.epoch
        withdrawal.erase(connection, now, epoch, WHO, "withdrawn", "a clerk")
    wait_for("the box has answered", lambda: "open" not in states(stage).values(), 60)
    stage.wait_until_complete()
    wait_for("the box's disk is clean", lambda: traces(box) == [], 60)
    stage.ingest.stop()
    stage.start(stage.ingest)  # it tidies up when it starts, and every half minute
    wait_for("the centre's disk is clean", lambda: traces(centre) == [], 60)
    report = stage.ledger.verify()
    assert (report.problems, report.erased) == ([], 1)
    assert stage.media.path(kept).exists()
    assert (centre / "media" / kept[:2] / kept).exists()
