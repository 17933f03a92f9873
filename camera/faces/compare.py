"""Who a face belongs to: vectors of length 1, their cosines, thresholds and margins. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


def unit(vector: Vector) -> Vector:
    """Return *vector* scaled to length 1."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / max(length, 1e-9), dtype=np.float32)


def mean(vectors: Sequence[Vector]) -> Vector:
    """Return the direction that several embeddings of one face share, length 1."""
    return unit(np.sum(vectors, axis=0))


def likeness(earlier: Sequence[Vector], embedding: Vector) -> float | None:
    """Return the cosine between *embedding* and the mean of *earlier* ones, −1 to 1.

    An embedding may be silent in parts, which are zeros there: only what both speak of is compared.
    Without such a part the answer is None.
    """
    spoken = embedding != 0
    before = np.sum(earlier, axis=0)[spoken] if earlier else np.zeros(0, dtype=np.float32)
    if not before.any():
        return None
    return float(unit(before) @ unit(embedding[spoken]))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Cosines that decide: see the manifest's comments for the meaning of each."""

    accept: float
    stranger: float
    margin: float
    same_face: float

    def __post_init__(self) -> None:
        if not 0 < self.same_face <= self.accept <= self.stranger < 1:
            raise ValueError("thresholds: need 0 < same_face <= accept <= stranger < 1")
        if not 0 <= self.margin < 1:
            raise ValueError("thresholds: margin must be 0 or more and below 1")


@dataclass(frozen=True, eq=False)
class Gallery:
    """Templates in memory: one row of ``matrix`` (people × dimension) for each of ``people``."""

    people: tuple[str, ...]
    matrix: NDArray[np.float32]

    def cosines(self, face: Vector) -> NDArray[np.float32]:
        """Return how alike *face* is to each template, −1 to 1."""
        return np.asarray(self.matrix @ face, dtype=np.float32)

    def without(self, person_id: str) -> Gallery:
        """Return everybody else."""
        keep = [index for index, person in enumerate(self.people) if person != person_id]
        return Gallery(tuple(self.people[index] for index in keep), self.matrix[keep])


def gallery_of(people: Sequence[str], templates: Sequence[Vector], dimension: int) -> Gallery:
    """Return a gallery of *templates*, in the order of *people*."""
    matrix = np.asarray(templates, dtype=np.float32).reshape(len(people), dimension)
    return Gallery(tuple(people), matrix)


@dataclass(frozen=True, slots=True)
class Match:
    """Who a face belongs to: cosine, lead over the second best, and frames averaged."""

    person_id: str
    score: float
    margin: float
    frames: int


def identify(
    face: Vector, gallery: Gallery, expected: frozenset[str], thresholds: Thresholds
) -> Match | None:
    """Return who *face* is, or None.

    Those whom the lesson expects are searched first (decision 16); somebody else must be more
    alike. An expected person is not taken where somebody else fits better still.
    """
    best: dict[str, float] = {}
    for person, cosine in zip(gallery.people, gallery.cosines(face).tolist(), strict=True):
        best[person] = max(cosine, best.get(person, -1.0))
    first, first_score, lead = _leader({p: s for p, s in best.items() if p in expected})
    anybody, score, clear_lead = _leader(best)
    if first and first == anybody and first_score >= thresholds.accept:
        # Against strangers it is enough to lead: the roster comes first.
        return Match(first, first_score, lead, 1) if lead >= thresholds.margin else None
    if anybody and anybody not in expected and score >= thresholds.stranger:
        if clear_lead < thresholds.margin:
            return None
        return Match(anybody, score, clear_lead, 1)
    return None


def _leader(scores: dict[str, float]) -> tuple[str, float, float]:
    """Return the best person, their score and their lead; nobody else counts as a score of 0."""
    if not scores:
        return "", 0.0, 0.0
    ranked = sorted(scores.items(), key=lambda entry: -entry[1])
    person, score = ranked[0]
    second = max(ranked[1][1], 0.0) if len(ranked) > 1 else 0.0
    return person, score, score - second
