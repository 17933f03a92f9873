"""From what a camera sees, frame by frame, to who is there. Pure.

Owns the track of a face from its coming to its going, and the moment at which it is somebody.
Promises that nobody is recognised by a single frame, by a narrow lead over the second best, or by
walking past; that the larger face is served first, then the next; and that one look is one
match: whoever stays in view is not matched again until they have looked away.

Moments are microseconds of a clock that never jumps (the monotonic one), not wall time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from camera.faces.compare import (
    Gallery,
    Match,
    Thresholds,
    Vector,
    identify,
    likeness,
    mean,
)
from edge.model import SECOND, Duration

Moment = int
Box = tuple[float, float, float, float]


class Guide(StrEnum):
    """What to tell the person at the door."""

    NONE = "none"
    COME_CLOSER = "come_closer"
    ONE_AT_A_TIME = "one_at_a_time"
    HOLD_STILL = "hold_still"
    LOOKING = "looking"
    NOT_RECOGNISED = "not_recognised"
    STEP_ASIDE = "step_aside"
    CAMERA_OUT = "camera_out"


@dataclass(frozen=True, slots=True)
class Manners:
    """How the door behaves. Sizes are shares of the picture's shorter side."""

    notice: float = 0.09  # smaller faces are passing by
    near: float = 0.17  # from here a face is compared
    similar: float = 0.8  # a second face of this share of the first makes it unclear whose turn
    frames: int = 3  # embeddings that a decision needs
    memory: int = 6  # embeddings of a track that are averaged
    lost: Duration = SECOND  # a track ends when its face was not seen for so long
    looked_away: Duration = SECOND  # after so long away, facing the camera is a new look
    settle: Duration = SECOND  # before somebody is told to come closer or to hold still
    not_recognised: Duration = 8 * SECOND
    step_aside: Duration = 20 * SECOND


MANNERS = Manners()
# Boxes of one face in two frames overlap by at least this much (intersection over union).
_OVERLAP = 0.2


@dataclass(frozen=True, slots=True)
class Sight:
    """One face in one frame. ``box``: left, top, width, height, as shares of the picture."""

    box: Box
    size: float
    usable: bool  # turned to the camera and sharp enough to be compared


@dataclass(frozen=True, eq=False)
class Track:
    """One face from its coming to its going. ``person_id`` is set by its match.

    ``embedded`` counts its embeddings, of which ``embeddings`` are the latest.
    """

    id: int
    sight: Sight
    since: Moment
    seen: Moment
    near_since: Moment | None = None
    usable_at: Moment | None = None
    embeddings: tuple[Vector, ...] = ()
    embedded: int = 0
    person_id: str = ""


@dataclass(frozen=True, eq=False)
class Scene:
    """All tracks at the door, the larger face first."""

    tracks: tuple[Track, ...] = ()
    last_id: int = 0


def follow(scene: Scene, sights: Sequence[Sight], now: Moment, manners: Manners = MANNERS) -> Scene:
    """Return the scene after a frame with *sights*: faces keep, begin or end their tracks."""
    left = [sight for sight in sights if sight.size >= manners.notice]
    tracks: list[Track] = []
    for track in scene.tracks:
        sight = max(left, key=lambda other: _overlap(track.sight.box, other.box), default=None)
        if sight is not None and _overlap(track.sight.box, sight.box) >= _OVERLAP:
            left.remove(sight)
            tracks.append(_continued(track, sight, now, manners))
        elif now - track.seen < manners.lost:
            tracks.append(track)
    last_id = scene.last_id
    for sight in left:
        last_id += 1
        begun = Track(last_id, sight, since=now, seen=now)
        tracks.append(_continued(begun, sight, now, manners))
    return Scene(tuple(sorted(tracks, key=lambda track: -track.sight.size)), last_id)


def _continued(track: Track, sight: Sight, now: Moment, manners: Manners) -> Track:
    near = sight.size >= manners.near
    looking = near and sight.usable
    if track.person_id and looking:
        assert track.usable_at is not None, "a matched face was usable"
        if now - track.usable_at >= manners.looked_away:
            return Track(track.id, sight, since=now, seen=now, near_since=now, usable_at=now)
    return replace(
        track,
        sight=sight,
        seen=now,
        near_since=(track.near_since if track.near_since is not None else now) if near else None,
        usable_at=now if looking else track.usable_at,
    )


def turn(scene: Scene, now: Moment, manners: Manners = MANNERS) -> Track | None:
    """Return whose face is to be embedded now: the largest near one that is still nobody.

    Who could not be recognised within ``not_recognised`` waits behind the others.
    """
    waiting = [
        track
        for track in _unmatched_near(scene, manners)
        if track.seen == now and track.sight.usable
    ]
    patient = [track for track in waiting if _waited(track, now) < manners.not_recognised]
    return next(iter(patient or waiting), None)


def learn(
    scene: Scene,
    track: Track,
    embedding: Vector,
    thresholds: Thresholds,
    manners: Manners = MANNERS,
) -> Scene:
    """Return the scene with one more *embedding* of *track*.

    When it does not resemble the earlier ones, somebody else stepped into the same place.
    """
    track = replace(track, embedded=track.embedded + 1)
    alike = likeness(track.embeddings, embedding)
    if alike is not None and alike < thresholds.same_face:
        renewed = replace(track, since=track.seen, near_since=track.seen, embeddings=(embedding,))
    else:
        renewed = replace(track, embeddings=(*track.embeddings, embedding)[-manners.memory :])
    return _with(scene, renewed)


def match(
    scene: Scene,
    track_id: int,
    gallery: Gallery,
    expected: frozenset[str],
    thresholds: Thresholds,
    manners: Manners = MANNERS,
) -> Match | None:
    """Return who the track is, once enough frames agree; None while nobody is certain."""
    track = next((track for track in scene.tracks if track.id == track_id), None)
    if track is None or track.person_id or len(track.embeddings) < manners.frames:
        return None
    found = identify(mean(track.embeddings), gallery, expected, thresholds)
    return replace(found, frames=len(track.embeddings)) if found else None


def matched(scene: Scene, track_id: int, person_id: str) -> Scene:
    """Return the scene in which the track is *person_id*, and its turn is over."""
    for track in scene.tracks:
        if track.id == track_id:
            return _with(scene, replace(track, person_id=person_id, embeddings=()))
    return scene


def look_again(scene: Scene, person_id: str) -> Scene:
    """Return the scene in which *person_id*, still in view, is to be recognised afresh."""
    tracks = tuple(
        replace(track, person_id="", embeddings=(), near_since=track.seen)
        if track.person_id == person_id
        else track
        for track in scene.tracks
    )
    return replace(scene, tracks=tracks)


def people(scene: Scene) -> tuple[str, ...]:
    """Return who in view has been recognised."""
    return tuple(track.person_id for track in scene.tracks if track.person_id)


def guide(scene: Scene, now: Moment, manners: Manners = MANNERS) -> tuple[Guide, Box | None]:
    """Return what to tell the person whose turn it is, and where their face is."""
    waiting = _unmatched_near(scene, manners)
    if not waiting:
        return _guide_from_afar(scene, now, manners)
    first = waiting[0]
    box = first.sight.box
    waited = _waited(first, now)
    if waited >= manners.not_recognised and len(waiting) > 1:
        return Guide.STEP_ASIDE, box
    if len(waiting) > 1 and waiting[1].sight.size >= manners.similar * first.sight.size:
        return Guide.ONE_AT_A_TIME, box
    if waited >= manners.step_aside:
        return Guide.STEP_ASIDE, box
    if waited >= manners.not_recognised:
        return Guide.NOT_RECOGNISED, box
    last_usable = first.usable_at if first.usable_at is not None else first.since
    if now - last_usable >= manners.settle:
        return Guide.HOLD_STILL, box
    return Guide.LOOKING, box


def _guide_from_afar(scene: Scene, now: Moment, manners: Manners) -> tuple[Guide, Box | None]:
    if not scene.tracks:
        return Guide.NONE, None
    first = scene.tracks[0]
    stays = now - first.since >= manners.settle
    if not first.person_id and first.sight.size < manners.near and stays:
        return Guide.COME_CLOSER, first.sight.box
    return Guide.NONE, first.sight.box


@dataclass(frozen=True, slots=True)
class LastScan:
    """The latest scan of a person. ``counted``: the rules took it as check-in or check-out."""

    at: Moment
    counted: bool


COOL_DOWN: Duration = 10 * SECOND
COUNTING_COOL_DOWN: Duration = 3 * SECOND


def may_scan(last: LastScan | None, now: Moment, counts: bool) -> bool:
    """Tell whether a new look of a person becomes a new scan.

    *counts*: by the rules it would be a check-in or a check-out. Such a look is taken soon (the
    next segment's "look once more"); any other only after the full cool-down.
    """
    if last is None:
        return True
    return now - last.at >= (COUNTING_COOL_DOWN if counts else COOL_DOWN)


def worth_looking_again(last: LastScan | None, now: Moment, counts: bool) -> bool:
    """Tell whether somebody who stayed in view is to be scanned again without a new look.

    So it is for who came too early and waited: the scan that they were told about now counts.
    """
    return last is not None and counts and not last.counted and may_scan(last, now, counts)


def _unmatched_near(scene: Scene, manners: Manners) -> list[Track]:
    return [
        track for track in scene.tracks if not track.person_id and track.sight.size >= manners.near
    ]


def _waited(track: Track, now: Moment) -> Duration:
    return now - track.near_since if track.near_since is not None else 0


def _with(scene: Scene, changed: Track) -> Scene:
    tracks = tuple(changed if track.id == changed.id else track for track in scene.tracks)
    return replace(scene, tracks=tracks)


def _overlap(one: Box, other: Box) -> float:
    """Return intersection over union."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return float(both / (one[2] * one[3] + other[2] * other[3] - both))


def turned_to_camera(yaw: float, limit: float = 35.0) -> bool:
    """Tell whether a face at *yaw* degrees can be compared."""
    return abs(yaw) <= limit
