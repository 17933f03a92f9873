"""``./box chaos --kills 500 --seed 7``: kill at random, then say what was lost or doubled."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import run
from tests.processes import NotInTime


def main() -> int:
    """Run; 0 when nothing was lost, doubled or left in doubt."""
    parser = argparse.ArgumentParser(prog="./box chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how often to kill (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="the lots; equal seeds strike alike")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and ledgers")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="classbox-chaos-"))

    try:
        outcome = run(folder, arguments.kills, arguments.seed, True, say)
    except NotInTime as error:
        say(f"it did not end in time: {error}")
        say(f"kept: {folder}")
        return 1
    for line in outcome.lines():
        say(line)
    if arguments.keep or not outcome.held:
        say(f"kept: {folder}")
    else:
        shutil.rmtree(folder)
    told = {
        "chaos": {"kills": outcome.kills.total(), "seed": arguments.seed},
        "network": dict(outcome.network),
        "written": outcome.written,
        "arrived": outcome.arrived,
        "files": outcome.files,
        "lost": len(outcome.lost),
        "doubled": len(outcome.doubled),
        "held": outcome.held,
    }
    print(json.dumps(told))
    return 0 if outcome.held else 1


def say(line: str) -> None:
    """Show progress without touching the output, whose last line is the result."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
