"""Pictures that cameras might give: a portrait in the public domain, and a drawn classroom."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from tests.system import portrait

Picture = NDArray[np.uint8]


def jpeg(image: Image.Image) -> bytes:
    """Return *image* as a JPEG file."""
    out = BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def door() -> bytes:
    """Return the door camera's picture of somebody at the door."""
    somebody = Image.open(portrait())
    scene = somebody.resize((640, 640)).crop((0, 80, 640, 560)).filter(ImageFilter.GaussianBlur(24))
    face = somebody.crop((40, 0, 420, 380)).resize((480, 480))
    mask = Image.new("L", face.size, 0)
    ImageDraw.Draw(mask).rectangle((40, 0, 440, 480), fill=255)
    scene.paste(face, (80, 0), mask.filter(ImageFilter.GaussianBlur(20)))
    return jpeg(scene)


def classroom(minute: int) -> Image.Image:
    """Return a drawn classroom; heads move a little from minute to minute."""
    random = np.random.default_rng(minute)
    image = Image.new("RGB", (960, 540), "#d9d4c7")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 300, 960, 540), fill="#b7a98f")
    draw.rectangle((230, 60, 730, 235), fill="#f7f7f2", outline="#8c8371", width=6)
    for line, width in enumerate((300, 360, 240)):
        draw.rectangle((270, 95 + line * 40, 270 + width, 103 + line * 40), fill="#50708a")
    draw.ellipse((772, 150, 808, 192), fill="#7a5a44")
    draw.rounded_rectangle((756, 190, 824, 300), 18, fill="#2f4f63")
    coats = ("#f4f1ea", "#e8e4da", "#ffffff", "#efe9dd")
    for row in range(4):
        scale = 1 + row * 0.28
        y = 300 + row * 58
        count = 8 - row
        for seat in range(count):
            x = 480 + (seat - (count - 1) / 2) * 108 * scale + random.integers(-4, 5)
            top = y - 34 * scale + random.integers(-3, 4)
            radius = 15 * scale
            draw.rounded_rectangle(
                (x - 24 * scale, top + radius, x + 24 * scale, y + 24 * scale),
                int(12 * scale),
                fill=coats[(seat + row) % 4],
            )
            draw.ellipse((x - radius, top - radius, x + radius, top + radius), fill="#3a3029")
        draw.rectangle((0, y + 16 * scale, 960, y + 26 * scale), fill="#8f7f64")
    return image.filter(ImageFilter.GaussianBlur(0.6))


def film(file: Path, seconds: int = 20, width: int = 640, height: int = 360) -> None:
    """Write a short fragmented MP4 of the classroom, in the recorder's form."""
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(str(file), "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast", "g": "5"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * 5):
            picture: Picture = np.asarray(classroom(number // 5).resize((width, height))).copy()
            label = f"{number // 5:02d} s"
            cv2.putText(picture, label, (16, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, (40, 40, 40), 2)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def long_film(file: Path, minutes: int, width: int = 640, height: int = 360) -> None:
    """Write *minutes* of the classroom, a picture every two seconds, in the recorder's form."""
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    rate = Fraction(1, 2)
    with av.open(str(file), "w", format="mp4", options=options) as container:
        stream = container.add_stream(
            "libx264", rate=rate, options={"preset": "ultrafast", "g": "5"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for minute in range(minutes):
            picture: Picture = np.asarray(classroom(minute).resize((width, height))).copy()
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            for number in range(30):
                frame.pts, frame.time_base = minute * 30 + number, 1 / rate
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
