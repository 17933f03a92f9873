"""A question to a camera, asked in a short-lived process of its own.

Libraries that speak to cameras may hang, grow and crash; a process can be given a deadline, and
its memory comes back. Promises that logins travel by pipe, never on a command line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from camera.failures import Failure, StreamFailed


def ask(module: str, question: dict[str, Any], deadline_s: float) -> dict[str, Any]:
    """Return what ``python -m module`` answers. Raises StreamFailed."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=json.dumps(question).encode("utf-8"),
            stdout=subprocess.PIPE,
            timeout=deadline_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StreamFailed(
            Failure.SILENT,
            f"the camera gave no answer within {deadline_s:.0f} s. Look at its network cable and "
            "its power supply.",
        ) from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise StreamFailed(
            Failure.BROKEN, f"{module} ended with status {done.returncode} and no answer"
        ) from None
    if "failure" in answer:
        raise StreamFailed(Failure(answer["failure"]), answer["message"])
    return answer


def answer(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Be that process: do *work* on the question and print its answer or its failure."""
    question = json.loads(sys.stdin.buffer.read())
    try:
        result = work(question)
    except StreamFailed as failure:
        result = {"failure": failure.kind, "message": str(failure)}
    print(json.dumps(result))
