"""The reference of ``bench faces``, run by an environment of its own: ``face_recognition``."""

from __future__ import annotations

import os
import sys
import time  # noqa: TID251 - this environment has no edge.clock

import face_recognition  # type: ignore[import-not-found]  # in the other environment only
import numpy as np

ROSTER = 50


def main(pictures_file: str, core: str) -> None:
    """Answer each line on standard input with the mean ms of a frame."""
    os.sched_setaffinity(0, {int(core)})
    pictures = np.load(pictures_file)
    (own,) = face_recognition.face_encodings(pictures[0])
    random = np.random.default_rng(1)
    others = random.normal(size=(ROSTER - 1, own.size))
    known = [own, *(other / np.linalg.norm(other) for other in others)]
    print("ready", flush=True)
    for _ in sys.stdin:
        matches = 0
        begun = time.monotonic()
        for picture in pictures:
            places = face_recognition.face_locations(picture)
            for face in face_recognition.face_encodings(picture, places):
                alike = face_recognition.compare_faces(known, face)
                distances = face_recognition.face_distance(known, face)
                matches += bool(alike[0]) and int(distances.argmin()) == 0
        spent = time.monotonic() - begun
        if matches < len(pictures):
            raise SystemExit(f"only {matches} of {len(pictures)} frames were recognised")
        print(1000 * spent / len(pictures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
