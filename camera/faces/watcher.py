"""From a frame to a match: mesh, crop, embedding and decision in one go.

At most one face of a frame is embedded, and by one of the recogniser's views, so that the time a
frame takes does not grow with the number of people at the door.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from camera.faces import align, decide, quality
from camera.faces.align import Picture
from camera.faces.compare import Gallery, Match
from camera.faces.decide import MANNERS, Box, Guide, Manners, Moment, Scene, Sight
from camera.faces.embed import Embedder
from camera.faces.mesh import Face, Mesh

# Half of what enrolment asks: a moving face is compared, a smear is not.
_SHARP_ENOUGH = quality.ENROLMENT.sharpness / 2


@dataclass(frozen=True, eq=False)
class Look:
    """What one frame came to. ``track`` names the face that matched."""

    faces: tuple[Face, ...]
    guide: Guide
    box: Box | None
    match: Match | None
    track: int


class Watcher:
    """Watches the door. ``mesh`` must be one for video."""

    def __init__(self, mesh: Mesh, embedder: Embedder, manners: Manners = MANNERS) -> None:
        self.embedder = embedder
        self._mesh = mesh
        # A match rests on every view.
        self._manners = replace(manners, frames=max(manners.frames, embedder.views))
        self._scene = Scene()

    def look(
        self, picture: Picture, now: Moment, gallery: Gallery, expected: frozenset[str]
    ) -> Look:
        """Take in one frame (RGB) and return what it came to.

        A match is offered in every frame until ``matched`` says that it was dealt with.
        """
        thresholds = self.embedder.manifest.thresholds
        faces = self._mesh.find(picture)
        crops = dict(self._sight(picture, face) for face in faces)
        self._scene = decide.follow(self._scene, list(crops), now, self._manners)
        track = decide.turn(self._scene, now, self._manners)
        found: Match | None = None
        if track is not None:
            crop = crops[track.sight]
            assert crop is not None, "a face whose turn it is was near enough to be cropped"
            embedding = self.embedder.glance(crop, track.embedded)
            self._scene = decide.learn(self._scene, track, embedding, thresholds, self._manners)
            found = decide.match(
                self._scene, track.id, gallery, expected, thresholds, self._manners
            )
        guide, box = decide.guide(self._scene, now, self._manners)
        return Look(tuple(faces), guide, box, found, track.id if track else 0)

    def find(self, picture: Picture) -> list[Face]:
        """Return the faces of a frame without recognising anybody."""
        return self._mesh.find(picture)

    def matched(self, look: Look) -> None:
        """Note that the match of *look* was dealt with: that person's turn is over."""
        if look.match is not None:
            self._scene = decide.matched(self._scene, look.track, look.match.person_id)

    def present(self) -> tuple[str, ...]:
        """Return who in view has been recognised."""
        return decide.people(self._scene)

    def look_again(self, person_id: str) -> None:
        """Recognise *person_id*, who is still in view, afresh."""
        self._scene = decide.look_again(self._scene, person_id)

    def forget_scene(self) -> None:
        """Begin anew, as after a break in the pictures."""
        self._scene = Scene()

    def _sight(self, picture: Picture, face: Face) -> tuple[Sight, Picture | None]:
        """Return a face as the decision sees it, and its crop when it is near."""
        height, width = picture.shape[:2]
        left, top, across, down = face.box
        box = (left / width, top / height, across / width, down / height)
        size = face.size / min(width, height)
        if size < self._manners.near:
            return Sight(box, size, usable=False), None
        crop = align.crop(picture, face.mesh)
        usable = decide.turned_to_camera(face.yaw) and quality.sharpness(crop) >= _SHARP_ENOUGH
        return Sight(box, size, usable), crop
