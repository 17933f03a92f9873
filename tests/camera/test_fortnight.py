"""Fourteen days offline on a disk scaled down, and what the centre frees when it is back."""

from __future__ import annotations

from pathlib import Path

from tests.camera.small_disk import in_own_disk


def test_fourteen_days_offline_lose_neither_attendance_nor_a_snapshot(tmp_path: Path) -> None:
    """Video falls by degrees and as late as it can, every day has some, and the alarm is seen."""
    told = in_own_disk(tmp_path, "tests.camera.fortnight", kilobytes=192 * 1024)
    assert "days at each quality" in told
