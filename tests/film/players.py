"""What tests ask of the player in a browser."""

from __future__ import annotations

from playwright.sync_api import Page

from edge.model import SECOND, Instant
from tests.processes import wait_for


class Player:
    """The player on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.video = page.locator("#player video")
        self.told = page.locator(".told")
        self.play = page.locator(".controls .play")
        self.line = page.get_by_role("slider")
        self.video.evaluate("video => { video.muted = true; }")

    def shows_picture(self) -> None:
        """Wait until a picture of the moment that is sought is decoded."""
        wait_for(
            "a picture is shown",
            lambda: self.video.evaluate("video => video.readyState >= 2 && !video.seeking"),
        )

    def wall(self) -> str:
        """Return the time of day that is shown."""
        return self.page.locator(".wall b").inner_text()

    def at(self) -> float:
        """Return where the film is, in seconds."""
        return float(self.video.evaluate("video => video.currentTime"))

    def source(self) -> str:
        """Return the address of the film."""
        return str(self.video.evaluate("video => video.currentSrc"))

    def touch(self, moment: Instant, begins: Instant, ends: Instant) -> None:
        """Touch the line, which spans *begins* to *ends*, at *moment*."""
        box = self.page.locator(".bars").bounding_box()
        assert box is not None
        x = box["x"] + box["width"] * (moment - begins) / (ends - begins)
        self.page.mouse.click(x, box["y"] + 12)

    def reaches(self, seconds: float, within: float = 30) -> None:
        """Wait until the film has come to that second."""
        wait_for(f"the film comes to {seconds} s", lambda: self.at() >= seconds, within)


def seconds(duration: int) -> float:
    """Return µs as seconds."""
    return duration / SECOND
