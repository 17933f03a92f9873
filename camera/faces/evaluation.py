"""How well a recogniser knows a group of people, from embeddings of their photos. Pure.

Open-set identification, as at the door: a *mate* is on the roster and is to be recognised (TPIR:
the share of mates whose best match is themselves, at or above the threshold); a *stranger* is not,
and is to be refused (FPIR: the share of strangers for whom anybody reaches the threshold).

Promises that a threshold is never tested on a person it was fitted on: people are halved, the
threshold is fitted on the rosters and strangers of one half and tested on the other's, both ways.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camera.faces.compare import Vector, mean

Floats = NDArray[np.float64]
FPIRS = (0.01, 0.001)
_SPLITS = 20
# Of those in a half who could be mates, the share that a roster takes; the others are strangers.
_ON_ROSTER = 0.8
_RESAMPLES = 1000


class TooFew(Exception):
    """There are not enough people or photos; the message says of what."""


@dataclass(frozen=True, eq=False)
class Person:
    """One identity of a *group* and the embeddings of their photos."""

    name: str
    group: str
    embeddings: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to draw. ``enrol`` and ``probes``: photos averaged into a template and into a look."""

    roster: int = 50
    enrol: int = 1
    probes: int = 1
    rosters: int = 1000
    seed: int = 1

    @property
    def photos(self) -> int:
        """How many photos a mate needs."""
        return self.enrol + self.probes


@dataclass(frozen=True, slots=True)
class Rate:
    """What was found at one FPIR that thresholds were fitted to. All but ``threshold`` are shares.

    ``low`` and ``high`` bound ``tpir`` with 95 % by a bootstrap over people; ``fpir`` is what the
    strangers of the other half came to.
    """

    wanted_fpir: float
    tpir: float
    low: float
    high: float
    fpir: float
    threshold: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a group came to. ``curve``: (FPIR, TPIR) of all rosters together, for a plot."""

    group: str
    mates: int
    strangers: int
    rosters: int
    filled: int
    rates: tuple[Rate, ...]
    curve: Floats


@dataclass(frozen=True, eq=False)
class _Trials:
    """What the rosters of one half came to: a score a trial, and whose it was."""

    mate: NDArray[np.int64]
    own: Floats  # how alike the mate is to themselves; −1 where somebody else is more alike
    stranger: NDArray[np.int64]
    best: Floats


def evaluate(people: Sequence[Person], group: str, plan: Plan) -> Outcome:
    """Return what *group* comes to on rosters filled up from the other groups.

    Raises TooFew.
    """
    ours = [person for person in people if person.group == group]
    others = [person for person in people if person.group != group]
    several = sum(len(person.embeddings) >= plan.photos for person in ours)
    if several < 4 or len(ours) - several < 2:
        raise TooFew(
            f"{group}: {several} of {len(ours)} people have {plan.photos} photos or more; at least "
            "4 who have, and 2 more people, are needed."
        )
    random = np.random.default_rng(plan.seed)
    each = -(-plan.rosters // (2 * _SPLITS))
    found: dict[float, list[tuple[_Trials, float]]] = defaultdict(list)
    everything: list[_Trials] = []
    for _ in range(_SPLITS):
        halves = [
            _trials(mine, fill, plan, each, random)
            for mine, fill in zip(_halved(ours, random), _halved(others, random), strict=True)
        ]
        everything += halves
        for fitted, tested in (halves, halves[::-1]):
            for wanted in FPIRS:
                found[wanted].append((tested, _threshold(fitted.best, wanted)))
    return Outcome(
        group,
        several,
        len(ours) - several,
        2 * _SPLITS * each,
        plan.roster - _taken(plan, several / 2),
        tuple(_rate(wanted, tested, random) for wanted, tested in found.items()),
        _curve(everything),
    )


def alike(people: Sequence[Person], above: float) -> Iterator[tuple[str, str]]:
    """Yield pairs of names whose photos, averaged, are alike enough to be one person's."""
    faces = np.stack([mean(person.embeddings) for person in people])
    for one, other in np.argwhere(np.triu(faces @ faces.T, 1) >= above):
        yield people[one].name, people[other].name


def _halved(people: list[Person], random: np.random.Generator) -> list[list[tuple[int, Person]]]:
    """Return two halves, each person with a number of their own."""
    order = random.permutation(len(people))
    middle = len(order) // 2
    return [[(int(n), people[n]) for n in half] for half in (order[:middle], order[middle:])]


def _trials(
    ours: list[tuple[int, Person]],
    others: list[tuple[int, Person]],
    plan: Plan,
    rosters: int,
    random: np.random.Generator,
) -> _Trials:
    """Return what *rosters* random rosters of one half come to."""
    several = [entry for entry in ours if len(entry[1].embeddings) >= plan.photos]
    taken = _taken(plan, len(several))
    mate: list[int] = []
    own: list[Floats] = []
    stranger: list[int] = []
    best: list[Floats] = []
    for _ in range(rosters):
        order = random.permutation(len(several))
        on_roster = [several[index] for index in order[:taken]]
        names = {number for number, _ in on_roster}
        templates, looks = [], []
        for _, person in on_roster:
            photos = [person.embeddings[i] for i in random.permutation(len(person.embeddings))]
            templates.append(mean(photos[: plan.enrol]))
            looks.append(mean(photos[plan.enrol : plan.photos]))
        fill = random.permutation(len(others))[: plan.roster - taken]
        templates += [_some(others[index][1], plan.enrol, random) for index in fill]
        gallery = np.stack(templates)
        scores = (np.stack(looks) @ gallery.T).astype(np.float64)
        right = scores.argmax(axis=1) == np.arange(taken)
        mate += [number for number, _ in on_roster]
        own.append(np.where(right, scores[np.arange(taken), np.arange(taken)], -1.0))
        unknown = [entry for entry in ours if entry[0] not in names]
        seen = np.stack([_some(person, plan.probes, random) for _, person in unknown])
        stranger += [number for number, _ in unknown]
        best.append((seen @ gallery.T).max(axis=1).astype(np.float64))
    return _Trials(np.array(mate), np.concatenate(own), np.array(stranger), np.concatenate(best))


def _taken(plan: Plan, several: float) -> int:
    """Return how many of *several* who could be mates a roster takes."""
    return min(plan.roster, max(1, round(_ON_ROSTER * several)))


def _some(person: Person, count: int, random: np.random.Generator) -> Vector:
    """Return the mean of *count* photos of a person, or of all where there are fewer."""
    chosen = random.permutation(len(person.embeddings))[:count]
    return mean([person.embeddings[index] for index in chosen])


def _threshold(best: Floats, fpir: float) -> float:
    """Return the lowest threshold that at most the share *fpir* of strangers reaches."""
    ranked = np.sort(best)[::-1]
    return float(np.nextafter(ranked[int(fpir * len(ranked))], 2))


def _rate(wanted: float, tested: list[tuple[_Trials, float]], random: np.random.Generator) -> Rate:
    hits: dict[int, list[bool]] = defaultdict(list)
    wrong: list[NDArray[np.bool_]] = []
    for trials, threshold in tested:
        for person, hit in zip(trials.mate.tolist(), trials.own >= threshold, strict=True):
            hits[person].append(bool(hit))
        wrong.append(trials.best >= threshold)
    share = np.array([np.mean(of_person) for of_person in hits.values()])
    weight = np.array([len(of_person) for of_person in hits.values()])
    drawn = random.integers(len(share), size=(_RESAMPLES, len(share)))
    means = (share * weight)[drawn].sum(axis=1) / weight[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Rate(
        wanted,
        float((share * weight).sum() / weight.sum()),
        float(low),
        float(high),
        float(np.concatenate(wrong).mean()),
        float(np.median([threshold for _, threshold in tested])),
    )


def _curve(trials: list[_Trials]) -> Floats:
    own = np.sort(np.concatenate([one.own for one in trials]))
    best = np.sort(np.concatenate([one.best for one in trials]))
    thresholds = np.unique(best)
    fpir = 1 - np.searchsorted(best, thresholds) / len(best)
    tpir = 1 - np.searchsorted(own, thresholds) / len(own)
    return np.stack([fpir, tpir], axis=1)
