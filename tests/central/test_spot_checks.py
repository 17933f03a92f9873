"""Spot checks and marked pictures at the centre: drawn, taken, judged, shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.cli import main
from edge.directions import Verdict, parse_draws
from edge.documents import DRAWS
from edge.events import SnapshotTaken
from edge.model import MINUTE
from edge.picture_events import PictureProcessed, SpotCheckConfirmed, SpotCheckTaken
from sync.central import projections, spot_checks
from sync.central.documents import newest
from tests.boxes import LESSON_ID, TEACHER_ID, at, two_hours
from tests.central.centres import Centre
from tests.central.days import START, opened, scan, sha
from tests.central.test_evidence import BOX, OTHER, of, plan
from tests.chains import Chain

NOW = at("12:00")


def test_a_snapshot_bears_its_count_beside_who_was_in(centre: Centre) -> None:
    """Counted against who was checked in when it was taken; found in the recording is said."""
    chain = Chain(BOX)
    plan(centre, BOX, two_hours(START))
    centre.know(chain)
    moment = START + 5 * MINUTE
    centre.learn(
        chain,
        opened(two_hours(START)),
        scan("p-1", START),
        scan("p-2", START + 8 * MINUTE),
        SnapshotTaken(LESSON_ID, 0, 1, "classroom", moment, "from_recording", sha("a"), 9),
        PictureProcessed(sha("a"), LESSON_ID, sha("b"), 9, 3, "fr_detect", "1"),
    )
    for _ in range(2):
        shot = of(centre, NOW).shots[0]
        assert (shot.heads, shot.present, shot.recovered) == (3, 1, True)
        assert (shot.sha256, shot.copy, shot.shown) == (sha("a"), "", sha("a"))
        with centre.store.writing() as connection:
            projections.rebuild(connection)


def test_only_what_was_confirmed_is_shown(centre: Centre) -> None:
    """A picture that the instructor left out, or never confirmed, is no spot check."""
    chain = Chain(BOX)
    plan(centre, BOX, two_hours(START))
    centre.know(chain)
    taken = [
        SpotCheckTaken(LESSON_ID, check, number, "photo", source, "", START, sha(name), 9)
        for check, number, source, name in (
            ("one", 1, "classroom", "a"),
            ("one", 2, "phone", "b"),
            ("two", 1, "classroom", "c"),
        )
    ]
    confirmed = SpotCheckConfirmed(LESSON_ID, "one", TEACHER_ID, [sha("b")], 41)
    centre.learn(chain, *taken, confirmed)
    (check,) = of(centre, NOW).spot_checks
    assert (check.by, check.present) == (TEACHER_ID, 41)
    assert [(item.sha256, item.source, item.arrived) for item in check.items] == [
        (sha("b"), "phone", False)
    ]


def test_a_verdict_comes_back_to_the_lesson(centre: Centre) -> None:
    """Drawn once however often, at each of its boxes; pending until the authority decides."""
    for box in (BOX, OTHER):
        plan(centre, box, two_hours(START))
    for _ in range(2):
        assert spot_checks.draw(centre.store, LESSON_ID, "县人社局", NOW) == (BOX, OTHER)
    draw = of(centre, NOW).draw
    assert draw is not None and draw.verdict is None
    verdict = Verdict("rejected", "县人社局", NOW, "后排看不清")
    spot_checks.decide(centre.store, LESSON_ID, verdict, NOW)
    assert spot_checks.draw(centre.store, LESSON_ID, "县人社局", NOW + 1)
    for box in (BOX, OTHER):
        with centre.store.reading() as connection:
            document = newest(connection, box, DRAWS, centre.store.epoch)
        assert document is not None and document.version == 2
        assert parse_draws(json.loads(document.content))[0].verdict == verdict
    draw = of(centre, NOW).draw
    assert draw is not None and draw.verdict == verdict


def test_what_cannot_be_drawn_or_judged_says_why(centre: Centre) -> None:
    """An unknown lesson, and a verdict on one that nobody drew."""
    plan(centre, BOX, two_hours(START))
    with pytest.raises(spot_checks.CannotDraw, match="no timetable names"):
        spot_checks.draw(centre.store, "lesson-9", "县人社局", NOW)
    with pytest.raises(spot_checks.CannotDraw, match="was not drawn"):
        spot_checks.decide(centre.store, LESSON_ID, Verdict("approved", "县人社局", NOW), NOW)


def test_the_commands_draw_and_judge(tmp_path: Path) -> None:
    """``classbox centre draws``: each says what it did, or in one line what is wrong."""
    settings = tmp_path / "centre.toml"
    settings.write_text('[centre]\ndata_dir = "data"\n', "utf-8")
    (tmp_path / "data").mkdir()
    centre = Centre(tmp_path / "data")
    plan(centre, BOX, two_hours(START))
    centre.store.close()

    def run(*words: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["--config", str(settings), "centre", "draws", *words])
        assert done.exit_code == status, done.output
        return done.output

    authority = ("--by", "县人社局")
    assert "was not drawn" in run("verdict", LESSON_ID, "approved", *authority, status=1)
    assert BOX in run("add", LESSON_ID, *authority)
    assert "--reason" in run("verdict", LESSON_ID, "rejected", *authority, status=2)
    run("verdict", LESSON_ID, "approved", *authority)
    listed = run("list", BOX)
    assert '"result": "approved"' in listed and "县人社局" in listed
