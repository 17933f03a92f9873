"""A box whose clocks the test moves, on a machine whose true time only the test knows."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge import events, timekeeping
from edge.clock import BoxClock, SimulatedClock
from edge.events import RecordingStored, ScanMade, SnapshotTaken
from edge.ledger import Ledger
from edge.model import MINUTE, SECOND, ClockQuality, Instant
from edge.teaching import open_lesson
from tests.boxes import LESSON_ID, TEACHER_ID, at, roster_of, send_documents, two_hours

DAY = 24 * 60 * MINUTE
WEEK = 7 * DAY
UNSYNCHRONISED, SYNCHRONISED = ClockQuality.UNSYNCHRONISED, ClockQuality.SYNCHRONISED
IN_2099: Instant = 4_070_908_800 * SECOND


class Box:
    """A box on a machine whose true time the test knows. ``true`` is the true time now."""

    def __init__(self, folder: Path, true: Instant) -> None:
        self.true = true
        self.machine = SimulatedClock(3 * SECOND, "boot-1", UNSYNCHRONISED)
        self.clock = BoxClock(self.machine, folder / "run" / "clock.json", "ntp", folder / "none")
        self.ledger = Ledger.open(folder / "box", "room-203", self.clock)
        # Its documents came by an earlier visit of a technician.
        send_documents(self.ledger, (two_hours(at("09:00")),), roster_of())

    def wait(self, duration: int) -> None:
        """Let true time pass."""
        self.true += duration
        self.machine.advance(duration)

    def reboot(self, boot: str, off: int = MINUTE) -> None:
        """Cut the power for *off*; the machine wakes in 1970."""
        self.true += off
        self.machine.reboot(0, boot, UNSYNCHRONISED)
        last = self.ledger.last_at()
        assert last is not None
        self.clock.not_before(last)

    def scan(self, person: str) -> int:
        """Let *person* be seen now; return the event's seq."""
        now = self.clock.now()
        made = ScanMade(person, now.at, "face", "", boot=now.boot, mono=now.mono, clock=now.clock)
        return self.ledger.append(made).seq

    def film(self, duration: int) -> None:
        """Record for *duration*, as the recorder does: the event comes when the part is over."""
        begun = self.clock.now()
        self.wait(duration)
        sha256 = hashlib.sha256(str(begun).encode()).hexdigest()
        self.ledger.append(
            RecordingStored(
                LESSON_ID,
                "front",
                begun.at,
                begun.at + duration,
                sha256,
                1000,
                interrupted=False,
                boot=begun.boot,
                mono=begun.mono,
                clock=begun.clock,
            )
        )

    def shoot(self, number: int) -> None:
        """Take a snapshot now."""
        now = self.clock.now()
        sha256 = hashlib.sha256(f"{now} {number}".encode()).hexdigest()
        self.ledger.append(
            SnapshotTaken(
                LESSON_ID,
                0,
                number,
                "front",
                now.at,
                "key_frame",
                sha256,
                1000,
                now.boot,
                now.mono,
                now.clock,
            )
        )

    def learn(self, error: int = 20_000) -> bool:
        """Let the centre say what time it is."""
        offset = self.true - self.machine.mono // 1000
        return timekeeping.learn(self.ledger, self.clock, offset, error, "centre")

    def kinds(self) -> list[str]:
        """Return the kinds of all events in order."""
        return [record.event.kind for record in self.ledger.records()]

    def said(self, kind: type[events.Body]) -> list[events.Body]:
        """Return the bodies of the events of *kind*."""
        return [
            events.decode(record.event.kind, record.body)
            for record in self.ledger.records()
            if record.event.kind == kind.kind and record.body is not None
        ]

    def attendance(self) -> dict[str, tuple[bool, bool]]:
        """Return who checked in and out, as derived now."""
        with self.ledger.store.read() as connection:
            rows = connection.execute("SELECT * FROM attendance").fetchall()
        return {
            row["person_id"]: (row["check_in"] is not None, row["check_out"] is not None)
            for row in rows
        }


def hold_the_lesson(box: Box) -> list[tuple[int, Instant]]:
    """Teach the lesson of 09:00 on a box without a date; return its scans with their true times."""
    box.wait(5 * MINUTE)
    open_lesson(box.ledger, LESSON_ID, TEACHER_ID)
    scans: list[tuple[int, Instant]] = []
    for person, when in (
        ("p-1", "08:52"),
        ("p-2", "09:10"),
        ("p-1", "10:31"),
        ("p-2", "10:32"),
    ):
        box.wait(at(when) - box.true)
        scans.append((box.scan(person), box.true))
    return scans
