"""What ``classbox faces evaluate`` reckons: on made-up people, and on photos."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from camera.faces import evaluation
from camera.faces.compare import unit
from camera.faces.evaluation import Person, Plan, TooFew, evaluate
from camera.faces_command import command

DIMENSION = 64
PLAN = Plan(roster=10, rosters=200)


def made_up(count: int, group: str, spread: float, photos: int = 3, seed: int = 1) -> list[Person]:
    """Return people whose photos lie around a direction of their own, *spread* apart."""
    random = np.random.default_rng([seed, *group.encode()])
    return [
        Person(
            f"{group}-{number}",
            group,
            tuple(
                unit(centre + spread * random.normal(size=DIMENSION).astype(np.float32))
                for _ in range(photos if number % 2 else 1)
            ),
        )
        for number in range(count)
        for centre in [unit(random.normal(size=DIMENSION).astype(np.float32))]
    ]


def test_people_who_look_like_themselves_are_all_recognised() -> None:
    """Photos of one person almost alike: everybody is found, no stranger is."""
    outcome = evaluate(made_up(60, "a", 0.01), "a", PLAN)
    for rate in outcome.rates:
        assert rate.tpir == 1 and rate.low == 1
        assert rate.fpir < 0.05  # from some thirty strangers


def test_people_who_look_like_anybody_are_not() -> None:
    """Photos that say nothing about who it is: hardly anybody is found at few false alarms."""
    outcome = evaluate(made_up(60, "a", 50.0), "a", PLAN)
    strict = outcome.rates[-1]
    assert strict.wanted_fpir == 0.001 and strict.tpir < 0.1


def test_the_harder_the_photos_the_fewer_are_found() -> None:
    """The rate falls with the spread of photos, and its interval holds it."""
    rates = [evaluate(made_up(80, "a", spread), "a", PLAN).rates[-1] for spread in (0.1, 0.2, 0.4)]
    assert rates[0].tpir > rates[1].tpir > rates[2].tpir
    assert all(rate.low <= rate.tpir <= rate.high for rate in rates)


def test_a_small_group_is_filled_up_from_the_others() -> None:
    """Rosters are of the size asked for, and the others count neither as mates nor as strangers."""
    few, many = made_up(16, "few", 0.1), made_up(80, "many", 0.1)
    outcome = evaluate([*few, *many], "few", PLAN)
    assert (outcome.mates, outcome.strangers) == (8, 8)
    assert outcome.filled == PLAN.roster - 3


def test_more_photos_make_it_better() -> None:
    """Three photos enrolled and three in a look find more than one and one."""
    people = made_up(80, "a", 0.25, photos=6)
    one = evaluate(people, "a", PLAN).rates[-1]
    three = evaluate(people, "a", replace(PLAN, enrol=3, probes=3)).rates[-1]
    assert three.tpir > one.tpir


def test_too_few_people_are_refused() -> None:
    """Fewer people than a half needs end as a message that counts them."""
    with pytest.raises(TooFew, match=r"a: 2 of 5 people have 2 photos or more"):
        evaluate(made_up(5, "a", 0.1), "a", PLAN)


def test_one_person_in_two_folders_is_noticed() -> None:
    """Two names whose photos are alike are named; others are not."""
    people = made_up(20, "a", 0.05)
    twin = replace(people[3], name="again")
    assert list(evaluation.alike([*people, twin], 0.65)) == [("a-3", "again")]


def test_a_run_is_repeatable() -> None:
    """The same seed gives the same figures."""
    people = made_up(40, "a", 0.2)
    assert evaluate(people, "a", PLAN).rates == evaluate(people, "a", PLAN).rates


def test_the_command_says_what_a_folder_lacks(tmp_path: Path, portrait_path: Path) -> None:
    """A folder with one person in it cannot be measured; the message says what is needed."""
    place = tmp_path / "group" / "somebody"
    place.mkdir(parents=True)
    (place / "1.png").write_bytes(portrait_path.read_bytes())
    (place / "notes.txt").write_text("not a picture")
    done = CliRunner().invoke(command, ["evaluate", str(tmp_path)])
    assert done.exit_code == 1
    assert "folders of groups, in them a folder a person" in done.output


def test_the_command_measures_photos(tmp_path: Path, portrait_path: Path) -> None:
    """Photos of one face, altered beyond likeness for each person: one line of JSON with rates."""
    picture = cv2.imread(str(portrait_path))
    assert picture is not None
    for person in range(10):
        place = tmp_path / "group" / f"p{person}"
        place.mkdir(parents=True)
        for photo in range(2 if person < 6 else 1):
            stretched = cv2.resize(picture, None, fx=0.6 + person / 12, fy=1 + photo / 50)
            cv2.imwrite(str(place / f"{photo}.png"), stretched)
    plot = tmp_path / "curve.svg"
    done = CliRunner().invoke(
        command,
        f"evaluate {tmp_path} --roster 3 --rosters 40 --json --plot {plot} --model fr_feature",
    )
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["photos"]["faces"] == report["photos"]["files"] == 16
    assert [figure["name"] for figure in report["figures"]] == [
        "tpir group at fpir 1 %",
        "tpir group",
    ]
    assert plot.read_text("utf-8").lstrip().startswith("<?xml")
