"""Small pictures of what a browser shows."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Page

COLOURS = 256
VISIBLE = 32
FEW_PIXELS = 40
# Who looks at each screen when it is saved, with the name of its file.
onlookers: list[Callable[[Page, str], None]] = []


def save(page: Page, file: Path) -> None:
    """Write what *page* shows as a PNG with a palette, unless the file shows the same already."""
    for look in onlookers:
        look(page, file.stem)
    shot = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    palette = shot.quantize(COLOURS)
    small = shot.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    if not (file.exists() and _alike(Image.open(file), small)):
        small.save(file, optimize=True)


def _alike(before: Image.Image, after: Image.Image) -> bool:
    """Tell whether two pictures differ by no more than dithering: then the old one may stay."""
    if before.size != after.size:
        return False
    difference = ImageChops.difference(before.convert("RGB"), after.convert("RGB")).convert("L")
    return sum(difference.histogram()[VISIBLE:]) <= FEW_PIXELS
