"""From pictures to a template: a good photo, or several good frames of the door camera.

Promises a typed reason for each refusal, in words that say what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from camera.faces import align, quality
from camera.faces.align import Picture
from camera.faces.compare import Gallery, Vector, mean
from camera.faces.embed import Embedder
from camera.faces.mesh import Face
from camera.faces.quality import Flaw

FRAMES = 5


class Refused(StrEnum):
    """Why nobody can be enrolled although the picture may be good."""

    UNKNOWN_PERSON = "unknown_person"
    SOMEBODY_ELSE = "somebody_else"
    NO_CAMERA = "no_camera"
    NO_CONSENT = "no_consent"


_WORDS: dict[str, tuple[str, str]] = {
    **{str(flaw): said for flaw, said in quality.WORDS.items()},
    Refused.UNKNOWN_PERSON: (
        "名单中没有此人。请先由中心下发包含此人的花名册。",
        "This person is on no roster of this box. Let the centre publish a roster with them first.",
    ),
    Refused.SOMEBODY_ELSE: (
        "这张脸已登记在另一人名下。请核对照片；如属双胞胎，请改用密码。",
        "This face is enrolled as somebody else. Check whose picture it is; twins use their PINs.",
    ),
    Refused.NO_CONSENT: (
        "本人尚未同意使用人脸。请先在屏幕上征求同意，或用密码、卡签到。",
        "This person has not consented to face recognition. Ask for consent first, or let them "
        "use PIN or card.",
    ),
    Refused.NO_CAMERA: (
        "门口摄像头没有画面。请检查连接。",
        "The door camera gives no picture. Check its cable, then try again.",
    ),
}


def words(code: str) -> tuple[str, str]:
    """Return the Chinese and English words for a refusal's *code*."""
    return _WORDS.get(code, (f"登记失败（{code}）。", f"The enrolment failed ({code})."))


class Collector:
    """Gathers good pictures of one person until there are enough for a template."""

    def __init__(self, embedder: Embedder, wanted: int = FRAMES) -> None:
        self._embedder = embedder
        self._wanted = wanted
        self._embeddings: list[Vector] = []
        self.flaw: Flaw | None = None

    def offer(self, picture: Picture, faces: Sequence[Face]) -> None:
        """Take in one picture with its *faces*, largest first; ``flaw`` says what it lacked.

        A face that does not resemble the earlier ones begins the collection anew.
        """
        self.flaw = quality.flaw_of_faces(faces)
        if self.flaw is not None:
            return
        crop = align.crop(picture, faces[0].mesh)
        self.flaw = quality.flaw_of_crop(crop)
        if self.flaw is not None:
            return
        embedding = self._embedder.embed(crop)
        alike = self._embedder.manifest.thresholds.accept
        if self._embeddings and float(mean(self._embeddings) @ embedding) < alike:
            self._embeddings = []
        self._embeddings.append(embedding)

    def template(self) -> Vector | None:
        """Return the template, None while pictures are missing."""
        return mean(self._embeddings) if len(self._embeddings) >= self._wanted else None


def is_somebody_else(
    template: Vector, person_id: str, gallery: Gallery, embedder: Embedder
) -> bool:
    """Tell whether *template* would be taken for another person of the *gallery*."""
    others = gallery.without(person_id)
    if not others.people:
        return False
    return bool(others.cosines(template).max() >= embedder.manifest.thresholds.accept)
