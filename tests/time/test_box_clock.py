"""The time that a box goes by: the same in all its processes, and steady when clocks jump."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.clock import RELEASED, BoxClock, SimulatedClock, SystemClock, inherited
from edge.model import MINUTE, SECOND, ClockQuality, Instant
from tests.boxes import at
from tests.time.stage import DAY, IN_2099, SYNCHRONISED, UNSYNCHRONISED


class Machine:
    """One machine, on which any number of processes look at the time."""

    def __init__(self, folder: Path, wall: Instant, quality: ClockQuality) -> None:
        self.clock = SimulatedClock(wall, "boot-1", quality)
        self.battery = folder / "since_epoch"
        self._file = folder / "run" / "clock.json"

    def process(self, trust: str = "ntp") -> BoxClock:
        """Return the clock of a process that was just started."""
        return BoxClock(self.clock, self._file, trust, self.battery)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that woke in 1970, without a battery clock and without a time service."""
    return Machine(tmp_path, 7 * SECOND, UNSYNCHRONISED)


def test_a_box_that_wakes_in_1970_is_not_earlier_than_its_software(machine: Machine) -> None:
    """The floor is the release, or the last event; its time says that it is not synchronised."""
    clock = machine.process()
    assert (clock.now().at, clock.now().clock) == (RELEASED, UNSYNCHRONISED)
    machine.clock.reboot(0, "boot-2", UNSYNCHRONISED)
    clock.not_before(at("09:00"))
    assert clock.now().at == at("09:00")
    machine.clock.advance(MINUTE)
    assert clock.now().at == at("09:01")
    assert not clock.dated()


def test_all_processes_of_a_boot_agree(machine: Machine) -> None:
    """Whoever looks first decides, and what one learns all know at once."""
    first = machine.process()
    first.not_before(at("09:00"))
    assert first.now().at == at("09:00")
    machine.clock.advance(MINUTE)
    second = machine.process()
    second.not_before(at("11:00"))
    assert second.now() == first.now()
    second.learn(at("14:00") - machine.clock.mono // 1000, 20_000, "centre")
    assert first.now() == second.now()
    assert (first.now().at, first.now().clock) == (at("14:00"), SYNCHRONISED)
    assert first.dated()


@pytest.mark.parametrize("to", [at("09:00") - DAY, IN_2099, 0], ids=["a day back", "2099", "1970"])
def test_time_does_not_jump_with_the_machines_clock(machine: Machine, to: Instant) -> None:
    """A wall clock that is set in mid-lesson moves nobody on the box, and is noticed once."""
    clock, other = machine.process(), machine.process()
    clock.learn(at("09:00") - machine.clock.mono // 1000, 20_000, "centre")
    before = clock.now()
    machine.clock.jump(to)
    machine.clock.advance(MINUTE)
    assert other.now().at == before.at + MINUTE
    assert clock.now().at == before.at + MINUTE
    stepped = clock.machine_stepped()
    assert stepped is not None
    assert stepped[1] - stepped[0] == to - 7 * SECOND
    other.noticed()
    assert clock.machine_stepped() is None


def test_a_time_service_sets_the_time_and_leaves_it_running(machine: Machine) -> None:
    """Once the kernel is synchronised its time counts, and goes on steadily when it is lost."""
    clock = machine.process()
    assert clock.now().clock is UNSYNCHRONISED
    machine.clock.jump(at("09:00"))
    machine.clock.quality = SYNCHRONISED
    assert (clock.now().at, clock.basis().source) == (at("09:00"), "ntp")
    # As date(1) does: it sets the clock and by that ends the synchronisation.
    machine.clock.quality = UNSYNCHRONISED
    machine.clock.jump(at("09:00") - DAY)
    machine.clock.advance(MINUTE)
    now = machine.process().now()
    assert (now.at, now.clock) == (at("09:01"), SYNCHRONISED)


def test_the_settings_say_whose_word_counts(machine: Machine) -> None:
    """``trusted`` believes the machine's clock as it is."""
    machine.clock.jump(at("09:00"))
    clock = machine.process("trusted")
    machine.clock.quality = SYNCHRONISED  # as SystemClock("trusted") says
    assert (clock.now().at, clock.basis().source) == (at("09:00"), "trusted")
    assert SystemClock("trusted").now().clock is SYNCHRONISED
    assert SystemClock("untrusted").now().clock is UNSYNCHRONISED


def test_a_battery_clock_gives_a_date_but_no_truth(machine: Machine) -> None:
    """It is better than the floor when it is later; the time is still not synchronised."""
    machine.battery.write_text(f"{at('09:00') // SECOND}\n")
    clock = machine.process()
    assert (clock.now().at, clock.now().clock) == (at("09:00"), UNSYNCHRONISED)
    assert clock.dated()


@pytest.mark.parametrize("wrong", [0, IN_2099 // SECOND], ids=["empty", "mad"])
def test_a_battery_clock_that_cannot_be_right_is_not_believed(machine: Machine, wrong: int) -> None:
    """An empty one begins in 1970; one that is ahead by decades is broken."""
    machine.battery.write_text(f"{wrong}\n")
    clock = machine.process()
    assert clock.now().at == RELEASED
    assert not clock.dated()


def test_what_an_earlier_boot_knew_is_forgotten(machine: Machine) -> None:
    """An offset belongs to one boot's monotonic clock."""
    clock = machine.process()
    clock.learn(at("09:00"), 20_000, "centre")
    machine.clock.reboot(0, "boot-2", UNSYNCHRONISED)
    assert clock.now().at == RELEASED
    assert clock.now().clock is UNSYNCHRONISED


def test_without_a_place_for_its_file_a_process_goes_by_itself(tmp_path: Path) -> None:
    """A command that may not write there, or finds rubbish there, still has a time."""
    (tmp_path / "file").write_text("not a folder")
    machine = SimulatedClock(0, "boot-1", UNSYNCHRONISED)
    alone = BoxClock(machine, tmp_path / "file" / "clock.json", "untrusted")
    assert alone.now().at == RELEASED
    (tmp_path / "clock.json").write_text('{"boot": 5')
    assert BoxClock(machine, tmp_path / "clock.json", "untrusted").now().at == RELEASED


def test_a_child_goes_by_the_clock_of_its_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording process of a camera dates what it films as the box does."""
    monkeypatch.setenv("CLASSBOX_CLOCK", "")
    assert isinstance(inherited(), SystemClock)
    clock = BoxClock.of(tmp_path, "untrusted")
    clock.learn(at("09:00"), 20_000, "centre")
    clock.hand_down()
    child = inherited()
    assert isinstance(child, BoxClock)
    assert child.basis() == clock.basis()
