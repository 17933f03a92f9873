"""``classbox faces``: measure how well this product knows faces, on an operator's own photos.

Promises that nothing of the photos is kept: embeddings live in memory only, and what is printed are
rates, counts and, where two folders look like one person, the names of the folders.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click
import cv2

from camera.door import read_picture
from camera.faces import align, embed, evaluation, manifest
from camera.faces.compare import Vector
from camera.faces.evaluation import Outcome, Person, Plan, TooFew
from camera.faces.manifest import ModelError
from camera.faces.mesh import Mesh
from edge.assets import AssetMissing
from edge.clock import monotonic

# Two folders whose photos are this much alike are probably one person: far above any other pair of
# people that was measured (0.57).
_ONE_PERSON = 0.65
_Answer = TypeVar("_Answer")


@click.group(name="faces")
def command() -> None:
    """Measure how well faces are recognised."""


@command.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--roster", default=50, show_default=True, help="People on a roster.")
@click.option("--enrol", default=1, show_default=True, help="Photos averaged into a template.")
@click.option("--probes", default=1, show_default=True, help="Photos averaged into a look.")
@click.option("--rosters", default=1000, show_default=True, help="Random rosters, at least.")
@click.option("--seed", default=1, show_default=True, help="Makes a run repeatable.")
@click.option("--model", default=manifest.DEFAULT, show_default=True, help="Which recogniser.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw TPIR over FPIR (.svg, .png).")
def evaluate(folder: Path, model: str, as_json: bool, plot: Path | None, **numbers: int) -> None:
    """Measure on photos in FOLDER/GROUP/PERSON/*, before you trust it with people.

    TPIR: of 100 people on the roster, how many are recognised. FPIR: of 100 who are not on it,
    how many are taken for somebody. Thresholds are fitted on other people than they are tested on.
    """
    for name in ("roster", "enrol", "probes", "rosters"):
        if numbers[name] < 1:
            raise click.BadParameter("must be 1 or more", param_hint=f"--{name}")
    plan = Plan(**numbers)
    try:
        people, found = _embedded(folder, model)
    except (ModelError, AssetMissing) as error:
        raise click.ClickException(str(error)) from error
    for one, other in evaluation.alike(people, _ONE_PERSON):
        click.echo(f"warning: {one} and {other} look like one person in two folders", err=True)
    outcomes: list[Outcome] = []
    for group in sorted({person.group for person in people}):
        try:
            outcomes.append(evaluation.evaluate(people, group, plan))
        except TooFew as error:
            click.echo(f"left out: {error}", err=True)
    if not outcomes:
        raise click.ClickException(
            f"Nothing could be measured in {folder}: it needs folders of groups, in them a folder "
            f"a person, in it {plan.photos} photos or more."
        )
    if plot is not None:
        _draw(outcomes, plot)
    report = {"model": _about(model), "plan": asdict(plan), "photos": found, **_figures(outcomes)}
    click.echo(json.dumps(report) if as_json else _table(report))


# --- photos --------------------------------------------------------------------------------------

_worker: tuple[Mesh, embed.Embedder]


def _start(model: str) -> None:
    """Load the networks of a worker process, once."""
    global _worker
    cv2.setNumThreads(1)
    _worker = Mesh(video=False), embed.load(model)


def _embed(file: Path) -> tuple[Vector | None, float]:
    """Return the embedding of a photo, None where no face is found, and the ms it took."""
    picture = read_picture(file)
    if picture is None:
        return None, 0.0
    mesh, embedder = _worker
    begun = monotonic()
    faces = mesh.find(picture) or mesh.search(picture)
    if not faces:
        return None, 0.0
    height, width = picture.shape[:2]
    face = next((face for face in faces if face.holds(width / 2, height / 2)), faces[0])
    embedding = embedder.embed(align.crop(picture, face.mesh))
    return embedding, 1000 * (monotonic() - begun)


def _embedded(folder: Path, model: str) -> tuple[list[Person], dict[str, Any]]:
    """Return the people of *folder*, and how many photos were read and how long each took."""
    manifest.load(model)  # a wrong name is said once, not by every worker
    files = sorted(file for file in folder.glob("*/*/*") if file.is_file())
    embeddings: dict[tuple[str, str], list[Vector]] = {}
    spent: list[float] = []
    # Not forked: the networks' libraries have threads of their own.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, _start, (model,)) as workers:
        answers = workers.map(_embed, files, chunksize=8)
        for file, (embedding, took) in zip(files, _progress(answers, len(files)), strict=True):
            if embedding is not None:
                person = (file.parts[-3], file.parts[-2])
                embeddings.setdefault(person, []).append(embedding)
                spent.append(took)
    people = [Person(name, group, tuple(vectors)) for (group, name), vectors in embeddings.items()]
    return people, {
        "files": len(files),
        "faces": len(spent),
        "people": len(people),
        "ms a photo": round(statistics.median(spent), 1) if spent else None,
    }


def _progress(answers: Iterator[_Answer], total: int) -> Iterator[_Answer]:
    """Pass *answers* on, with a bar on a terminal."""
    with click.progressbar(
        answers, length=total, label="photos", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield from bar


# --- report --------------------------------------------------------------------------------------


def _about(model: str) -> dict[str, str]:
    shown = manifest.load(model)
    return {"name": shown.name, "version": shown.version}


def _figures(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the figures, a group's TPIR at each FPIR in percent."""
    figures = []
    for outcome in outcomes:
        for rate in outcome.rates:
            strict = rate.wanted_fpir == min(evaluation.FPIRS)
            figures.append(
                {
                    "name": f"tpir {outcome.group}" + ("" if strict else " at fpir 1 %"),
                    "ours": round(100 * rate.tpir, 2),
                    "unit": "%",
                    "from": round(100 * rate.low, 2),
                    "to": round(100 * rate.high, 2),
                    "fpir fitted": 100 * rate.wanted_fpir,
                    "fpir found": round(100 * rate.fpir, 3),
                    "threshold": round(rate.threshold, 3),
                    "mates": outcome.mates,
                    "others": outcome.strangers,
                    "rosters": outcome.rosters,
                    "filled up by": outcome.filled,
                }
            )
    return {"figures": figures}


def _table(report: dict[str, Any]) -> str:
    photos = report["photos"]
    plan = report["plan"]
    lines = [
        f"{report['model']['name']} {report['model']['version']}: {photos['people']} people, "
        f"{photos['faces']} faces in {photos['files']} photos, {photos['ms a photo']} ms a photo",
        f"rosters of {plan['roster']}, {plan['enrol']} photo(s) enrolled, {plan['probes']} a look",
        "",
        f"{'group':<16}{'FPIR':>8}{'TPIR':>8}{'95 % from':>11}{'to':>7}{'threshold':>11}"
        f"{'FPIR found':>12}",
    ]
    for figure in report["figures"]:
        group = figure["name"].removeprefix("tpir ").removesuffix(" at fpir 1 %")
        lines.append(
            f"{group:<16}{figure['fpir fitted']:>7g}%{figure['ours']:>7.1f}%"
            f"{figure['from']:>10.1f}%{figure['to']:>6.1f}%{figure['threshold']:>11.3f}"
            f"{figure['fpir found']:>11.2f}%"
        )
    return "\n".join(lines)


def _draw(outcomes: list[Outcome], file: Path) -> None:
    """Draw a curve a group into *file*."""
    # Slow to load, and needed by nobody else.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    for outcome in outcomes:
        seen = outcome.curve[outcome.curve[:, 0] > 0]
        axes.plot(100 * seen[:, 0], 100 * seen[:, 1], label=outcome.group)
    axes.set(xscale="log", xlabel="FPIR, %", ylabel="TPIR, %", ylim=(70, 100))
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    try:
        figure.savefig(file, bbox_inches="tight")
    except (OSError, ValueError) as error:
        raise click.ClickException(f"--plot {file}: {error}") from error
    finally:
        pyplot.close(figure)
