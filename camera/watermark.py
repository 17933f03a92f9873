"""A visible watermark: a strip below the picture that says where and when it was taken.

Below, not across: no pixel of the classroom is covered. Promises that a strip which cannot be
written in Chinese letters is not written at all.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

# Debian's packages fonts-noto-cjk and fonts-wqy-microhei.
FONTS = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
)
_QUALITY = 92
_BACKGROUND, _INK = (17, 24, 32), (255, 255, 255)
_LARGEST, _SMALLEST = 40, 12


class CannotMark(Exception):
    """A picture cannot be given its watermark; the message says what to do."""


def marked(content: bytes, lines: Sequence[str]) -> bytes:
    """Return the JPEG *content* with *lines* in a strip below it. Raises CannotMark."""
    try:
        picture = Image.open(io.BytesIO(content)).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise CannotMark(f"the picture cannot be read ({error})") from error
    font = _fitting(lines, picture.width)
    rise = round(font.size * 1.4)
    margin = round(font.size * 0.5)
    strip = rise * len(lines) + margin
    canvas = Image.new("RGB", (picture.width, picture.height + strip), _BACKGROUND)
    canvas.paste(picture, (0, 0))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        top = picture.height + margin // 2 + number * rise
        draw.text((margin, top), line, font=font, fill=_INK)
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=_QUALITY, subsampling="4:2:0")
    return out.getvalue()


def _fitting(lines: Sequence[str], width: int) -> ImageFont.FreeTypeFont:
    """Return the letters in the largest size in which every line fits into *width* pixels."""
    path = next((one for one in FONTS if one.is_file()), None)
    if path is None:
        raise CannotMark(
            "no Chinese letters are installed on this box; as root: apt-get install fonts-noto-cjk"
        )
    for size in range(min(_LARGEST, max(_SMALLEST, width // 40)), _SMALLEST - 1, -1):
        font = ImageFont.truetype(str(path), size)
        if all(font.getlength(line) <= width - size for line in lines):
            break
    return font
