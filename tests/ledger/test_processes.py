"""Several processes write one ledger, and any of them may die."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from edge.clock import SimulatedClock
from edge.events import ServiceStarted
from tests.boxes import open_ledger

# Appends events one by one and says each seq only after it is stored.
WRITER = """
import sys
from pathlib import Path
from edge.clock import SystemClock
from edge.events import ScanMade
from edge.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]), "room-203", SystemClock())
for number in range(int(sys.argv[3])):
    event = ledger.append(ScanMade(f"{sys.argv[2]}-{number}", number, "face", ""))
    print(event.seq, flush=True)
ledger.close()
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_four_processes_that_start_together_share_one_chain(tmp_path: Path) -> None:
    """First start, migration and appends collide in four processes: no gap, nothing lost."""
    processes = [writer(tmp_path, f"p{number}", 50) for number in range(4)]
    said = [seq for process in processes for seq in process.communicate(timeout=120)[0].split()]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert sorted(map(int, said)) == list(range(2, 202))
    with open_ledger(tmp_path, SimulatedClock(0)) as ledger:
        report = ledger.verify()
        assert (report.events, report.problems) == (201, [])


def test_a_writer_killed_in_mid_stroke_loses_nothing_that_it_said(tmp_path: Path) -> None:
    """Kill -9 at a random append: what was said is stored, the chain is whole, work goes on."""
    for round_number in range(3):
        process = writer(tmp_path, f"r{round_number}", 100_000)
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        said += [int(seq) for seq in process.stdout.read().split("\n")[:-1]]
        process.wait(timeout=30)
        process.stdout.close()
        with open_ledger(tmp_path, SimulatedClock(0)) as ledger:
            assert ledger.head()[0] >= said[-1]
            assert ledger.verify().intact


def test_the_database_is_never_checkpointed_behind_the_lock(tmp_path: Path) -> None:
    """Autocheckpoint is off: after many writes everything still stands in the WAL."""
    process = writer(tmp_path, "p", 400)
    with open_ledger(tmp_path, SimulatedClock(0)) as ledger:
        process.communicate(timeout=120)
        wal = tmp_path / "ledger.db-wal"
        grown = wal.stat().st_size
        assert grown > 400 * 4096
        ledger.store.checkpoint(truncate=True)
        assert wal.stat().st_size == 0
        assert ledger.verify().intact


def test_a_checkpoint_does_not_wait_for_a_reader(tmp_path: Path) -> None:
    """Somebody in the middle of reading holds nobody up: the rest is moved another time."""
    with open_ledger(tmp_path, SimulatedClock(0)) as ledger:
        before = ledger.head()
        with ledger.store.read() as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT seq FROM head").fetchone()[0] == before[0]
            ledger.append(ServiceStarted("link", "0"))
            ledger.store.checkpoint()
            ledger.store.checkpoint(truncate=True)
            ledger.append(ServiceStarted("link", "0"))
            assert reader.execute("SELECT seq FROM head").fetchone()[0] == before[0]
            reader.execute("COMMIT")
        ledger.store.checkpoint(truncate=True)
        assert ledger.store.wal_bytes() == 0
        assert ledger.verify().events == before[0] + 2
