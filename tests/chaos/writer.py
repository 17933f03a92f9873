"""A process that writes to a box's ledger as its services do, and bears witness to each commit.

``python -m tests.chaos.writer BOX_TOML WITNESS SEED`` appends scans, some with a photo, until it
is killed. After each commit the event's id goes to the witness file, which SIGKILL does not undo:
every id in it must reach the centre.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from threading import Event

from edge import config as configuration
from edge.clock import SystemClock
from edge.events import ScanMade
from edge.ledger import Ledger
from edge.media import MediaStore

PHOTO_BYTES = 30_000
PHOTO_SHARE = 0.03
BURST = 20


def main(box_toml: Path, witness: Path, seed: int) -> None:
    """Write until killed, in bursts, as a class that comes through the door."""
    config = configuration.load(box_toml)
    ledger = Ledger.open(config.data_dir, config.box_id, SystemClock())
    media = MediaStore(config.data_dir / "media")
    lots = random.Random(seed)
    pause = Event()
    descriptor = os.open(witness, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def seen(event_id: str) -> None:
        os.write(descriptor, f"{event_id}\n".encode("ascii"))

    for draft in media.unfinished(["scan.made"]):
        if draft.has_bytes():
            seen(draft.store(ledger).id)
        else:
            draft.discard()
    print("writer: ready", flush=True)
    while True:
        for _ in range(lots.randint(1, BURST)):
            scan = ScanMade(f"p-{lots.randint(1, 50)}", ledger.clock.now().at, "face", "")
            if lots.random() < PHOTO_SHARE:
                draft = media.draft(scan, "photo")
                draft.write(lots.randbytes(PHOTO_BYTES))
                seen(draft.store(ledger).id)
            else:
                seen(ledger.append(scan).id)
        pause.wait(lots.uniform(0, 0.2))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
