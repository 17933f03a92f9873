"""Frame by frame to who is there: several frames, a lead, one match for one look."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.faces import decide
from camera.faces.compare import Gallery, Match, Thresholds, Vector, gallery_of, identify, unit
from camera.faces.decide import MANNERS, Guide, LastScan, Scene, Sight, may_scan
from edge.model import SECOND

LIMITS = Thresholds(accept=0.52, stranger=0.56, margin=0.06, same_face=0.40)
DIMENSION = 8
FRAME = SECOND // 10
EVERYBODY = frozenset({"a", "b", "c"})


# At right angles to one another, and nowhere 0: a real network leaves no value out.
_AXES = np.linalg.qr(np.random.default_rng(1).normal(size=(DIMENSION, DIMENSION)))[0]


def axis(number: int) -> Vector:
    """Return the face of the person of that number: at right angles to all others."""
    return np.asarray(_AXES[number], dtype=np.float32)


def alike(number: int, cosine: float, towards: int = DIMENSION - 1) -> Vector:
    """Return a face of that cosine to a person, the rest of it pointing elsewhere."""
    return unit(axis(number) * cosine + axis(towards) * float(np.sqrt(1 - cosine**2)))


KNOWN = gallery_of(("a", "b", "c"), [axis(0), axis(1), axis(2)], DIMENSION)


def face_at(across: float = 0.5, size: float = 0.3, usable: bool = True) -> Sight:
    """Return a face around the middle of the picture's height."""
    return Sight((across - size / 2, 0.5 - size / 2, size, size), size, usable)


@dataclass
class Film:
    """Shows frames to the decision as the greeter does, and notes what came of them."""

    gallery: Gallery = KNOWN
    expected: frozenset[str] = EVERYBODY
    scene: Scene = field(default_factory=Scene)
    now: int = 1_000 * SECOND
    matches: list[Match] = field(default_factory=list)
    guide: Guide = Guide.NONE
    embedded: int = 0

    def show(self, *faces: tuple[Sight, Vector]) -> None:
        """Show one frame with those faces."""
        self.now += FRAME
        order = sorted(faces, key=lambda face: -face[0].size)
        vectors = {sight: vector for sight, vector in order}
        self.scene = decide.follow(self.scene, list(vectors), self.now)
        track = decide.turn(self.scene, self.now)
        if track is not None:
            self.embedded += 1
            self.scene = decide.learn(self.scene, track, vectors[track.sight], LIMITS)
            found = decide.match(self.scene, track.id, self.gallery, self.expected, LIMITS)
            if found is not None:
                self.matches.append(found)
                self.scene = decide.matched(self.scene, track.id, found.person_id)
        self.guide, _ = decide.guide(self.scene, self.now)

    def show_for(self, seconds: float, *faces: tuple[Sight, Vector]) -> None:
        """Show the same frame again and again."""
        for _ in range(round(seconds * 10)):
            self.show(*faces)

    def says(self) -> Guide:
        """What the last frame told the person at the door."""
        return self.guide

    @property
    def people(self) -> list[str]:
        """Who was matched, in order."""
        return [match.person_id for match in self.matches]


def test_a_known_face_is_matched_after_three_frames() -> None:
    """Two frames are not enough; the third one decides, with score, lead and frames."""
    film = Film()
    film.show_for(0.2, (face_at(), alike(0, 0.8)))
    assert film.matches == []
    assert film.says() is Guide.LOOKING
    film.show((face_at(), alike(0, 0.8)))
    (match,) = film.matches
    assert (match.person_id, match.frames) == ("a", 3)
    assert match.score == pytest.approx(0.8, abs=1e-5)
    assert match.margin == pytest.approx(0.8, abs=1e-5)
    assert film.says() is Guide.NONE


def test_one_look_is_one_match_however_long_it_lasts() -> None:
    """Whoever stays before the camera is matched once."""
    film = Film()
    film.show_for(30, (face_at(), alike(0, 0.9)))
    assert film.people == ["a"]
    assert film.embedded == 3


@pytest.mark.parametrize(
    "away", [(), ((face_at(usable=False), axis(0)),), ((face_at(size=0.12), axis(0)),)]
)
def test_looking_away_and_back_is_a_new_look(away: tuple[tuple[Sight, Vector], ...]) -> None:
    """Who went, turned away or stepped back for a second is recognised afresh."""
    film = Film()
    film.show_for(1, (face_at(), axis(0)))
    film.show_for(1.2, *away)
    film.show_for(1, (face_at(), axis(0)))
    assert film.people == ["a", "a"]


def test_a_face_lost_for_a_few_frames_is_the_same_look() -> None:
    """A detector that blinks does not make a new look."""
    film = Film()
    film.show_for(1, (face_at(), axis(0)))
    film.show_for(0.5)
    film.show_for(1, (face_at(), axis(0)))
    assert film.people == ["a"]


def test_people_passing_by_are_not_looked_at() -> None:
    """A small face is never embedded; who stays small is asked to come closer."""
    film = Film()
    film.show_for(0.5, (face_at(size=0.12), axis(0)))
    assert film.says() is Guide.NONE
    film.show_for(1, (face_at(size=0.12), axis(0)))
    assert film.says() is Guide.COME_CLOSER
    film.show_for(5, (face_at(size=0.05), axis(0)))
    assert film.says() is Guide.NONE
    assert film.embedded == 0


def test_the_larger_face_is_served_first_and_then_the_next() -> None:
    """The one in front is matched first, the one behind as soon as it is their turn."""
    film = Film()
    front, behind = (face_at(0.3, 0.4), axis(1)), (face_at(0.8, 0.2), axis(0))
    film.show_for(1, behind, front)
    assert film.people == ["b", "a"]


def test_two_faces_of_one_size_are_asked_to_come_one_by_one() -> None:
    """When it is unclear whose turn it is, the screen says so."""
    film = Film(expected=frozenset(), gallery=gallery_of((), [], DIMENSION))
    film.show_for(1, (face_at(0.3, 0.30), axis(0)), (face_at(0.7, 0.28), axis(1)))
    assert film.says() is Guide.ONE_AT_A_TIME


def test_an_unknown_face_hears_so_after_eight_seconds() -> None:
    """First "looking", then "not recognised", then "step aside"; never a match."""
    film = Film()
    stranger = (face_at(), axis(6))
    film.show_for(7.9, stranger)
    assert film.says() is Guide.LOOKING
    film.show_for(0.3, stranger)
    assert film.says() is Guide.NOT_RECOGNISED
    film.show_for(12, stranger)
    assert film.says() is Guide.STEP_ASIDE
    assert film.matches == []


def test_who_is_not_recognised_does_not_keep_the_others_waiting() -> None:
    """From eight seconds on the others are served, though the unknown face is the larger one."""
    film = Film()
    stranger = (face_at(0.3, 0.4), axis(6))
    film.show_for(8.2, stranger)
    film.show_for(1, stranger, (face_at(0.8, 0.2), axis(0)))
    assert film.people == ["a"]


def test_who_keeps_others_waiting_is_asked_aside_after_eight_seconds() -> None:
    """Alone one may try on; with somebody of the same size behind, it is their turn."""
    film = Film(expected=frozenset(), gallery=gallery_of((), [], DIMENSION))
    stranger = (face_at(0.3, 0.30), axis(6))
    film.show_for(8.2, stranger)
    assert film.says() is Guide.NOT_RECOGNISED
    film.show_for(0.2, stranger, (face_at(0.7, 0.28), axis(1)))
    assert film.says() is Guide.STEP_ASIDE


def test_a_face_that_cannot_be_compared_is_asked_to_hold_still() -> None:
    """Turned away or blurred for a second: hold still and look at the camera."""
    film = Film()
    film.show_for(1.5, (face_at(usable=False), axis(0)))
    assert film.says() is Guide.HOLD_STILL
    assert film.embedded == 0


def test_somebody_else_in_the_same_place_starts_anew() -> None:
    """Frames of two people are never averaged, though the one stepped where the other stood."""
    film = Film()
    film.show_for(0.2, (face_at(), axis(0)))
    film.show_for(0.3, (face_at(), axis(1)))
    assert film.people == ["b"]


def test_looking_again_is_possible_without_going_away() -> None:
    """When a scan begins to count, who waited in view is recognised afresh."""
    film = Film()
    film.show_for(5, (face_at(), axis(0)))
    film.scene = decide.look_again(film.scene, "a")
    film.show_for(1, (face_at(), axis(0)))
    assert film.people == ["a", "a"]


@pytest.mark.parametrize(
    ("face", "expected", "found"),
    [
        (alike(0, 0.53), EVERYBODY, "a"),
        (alike(0, 0.51), EVERYBODY, None),
        (alike(0, 0.53), frozenset({"b"}), None),  # not expected: the stricter threshold
        (alike(0, 0.58), frozenset({"b"}), "a"),
        (alike(0, 0.60, towards=1), frozenset({"a"}), "b"),  # a stranger who fits far better
        (alike(0, 0.72, towards=1), frozenset({"a", "b"}), None),  # twins on one roster
        (alike(0, 0.72, towards=1), frozenset({"a"}), "a"),  # the roster comes first
        (alike(0, 0.72, towards=1), frozenset({"c"}), None),  # twins whom nobody expects
        (axis(0), frozenset(), "a"),
    ],
)
def test_who_a_face_is(face: Vector, expected: frozenset[str], found: str | None) -> None:
    """The roster first, others by the stricter threshold, nobody without a lead."""
    match = identify(face, KNOWN, expected, LIMITS)
    assert (match.person_id if match else None) == found


def test_an_empty_gallery_knows_nobody() -> None:
    """A box on which nobody is enrolled recognises nobody, and does not fail."""
    assert identify(axis(0), gallery_of((), [], DIMENSION), EVERYBODY, LIMITS) is None


def test_several_templates_of_one_person_do_not_compete() -> None:
    """The lead is over the second best person, not over the same person's other template."""
    double = gallery_of(("a", "a", "b"), [axis(0), alike(0, 0.99), axis(1)], DIMENSION)
    match = identify(axis(0), double, EVERYBODY, LIMITS)
    assert match is not None and match.margin > 0.9


FACES = st.tuples(
    st.sampled_from([0.25, 0.75]),
    st.sampled_from([0.05, 0.12, 0.2, 0.3, 0.45]),
    st.booleans(),
    st.integers(0, DIMENSION - 1),
    st.floats(0.2, 1.0),
)


@given(st.lists(st.lists(FACES, max_size=2), max_size=60), st.sets(st.sampled_from("abc")))
def test_whatever_walks_by_a_match_is_earned(
    frames: list[list[tuple[float, float, bool, int, float]]], expected: set[str]
) -> None:
    """Each match rests on three frames, a threshold and a lead, and costs one embedding a frame."""
    film = Film(expected=frozenset(expected))
    for frame in frames:
        faces = {across: face_at(across, size, usable) for across, size, usable, _, _ in frame}
        vectors = {across: alike(person, cosine, 5) for across, _, _, person, cosine in frame}
        before = film.embedded
        film.show(*((faces[across], vectors[across]) for across in faces))
        assert film.embedded - before <= 1
        assert all(track.sight.size >= MANNERS.notice for track in film.scene.tracks)
    assert 3 * len(film.matches) <= film.embedded
    for match in film.matches:
        known = match.person_id in expected
        assert match.score >= (LIMITS.accept if known else LIMITS.stranger)
        assert match.margin >= LIMITS.margin
        assert MANNERS.frames <= match.frames <= MANNERS.memory


def test_a_repeated_look_becomes_a_scan_only_when_it_is_due() -> None:
    """At once the first time; after 3 s when it counts, after 10 s when it does not."""
    now = 1_000 * SECOND
    last = LastScan(now, counted=True)
    assert may_scan(None, now, counts=False)
    assert not may_scan(last, now + 2 * SECOND, counts=True)
    assert may_scan(last, now + 3 * SECOND, counts=True)
    assert not may_scan(last, now + 9 * SECOND, counts=False)
    assert may_scan(last, now + 10 * SECOND, counts=False)


def test_only_who_came_too_early_is_scanned_again_while_in_view() -> None:
    """A second glance is not a departure: after a scan that counted, a new look is needed."""
    now = 1_000 * SECOND
    later = now + 60 * SECOND
    assert decide.worth_looking_again(LastScan(now, counted=False), later, counts=True)
    assert not decide.worth_looking_again(LastScan(now, counted=True), later, counts=True)
    assert not decide.worth_looking_again(LastScan(now, counted=False), later, counts=False)
