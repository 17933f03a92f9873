"""Reading a trainee's card in a picture of the door."""

from __future__ import annotations

import cv2
import numpy as np
import qrcode

from camera.card_reader import CardReader
from camera.faces.align import Picture
from edge import card
from edge.model import SECOND

CODE = card.text_of(b"0123456789abcdef")
START = 1_700_000_000 * SECOND


def door(text: str = "", side: int = 200, turned: float = 0.0) -> Picture:
    """Return a noisy picture of a door, 1280 × 720, in which somebody holds a QR code."""
    noise = np.random.default_rng(7).integers(60, 160, (720, 1280, 3))
    picture = noise.astype(np.uint8)
    if text:
        code = qrcode.QRCode(border=4)
        code.add_data(text)
        modules = np.array(code.get_matrix(), np.uint8)
        drawn = np.kron(255 * (1 - modules), np.ones((8, 8), np.uint8)).astype(np.uint8)
        small = cv2.resize(drawn, (side, side), interpolation=cv2.INTER_AREA)
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), turned, 1.0)
        small = np.asarray(cv2.warpAffine(small, turn, (side, side), borderValue=255.0), np.uint8)
        picture[260 : 260 + side, 500 : 500 + side] = small[..., None]
    return picture


def test_a_card_is_read_at_arms_length_and_turned() -> None:
    """A fifth of the picture's height is enough, and nobody holds a card straight."""
    for side, turned in ((300, 0.0), (160, 0.0), (200, 12.0), (200, 90.0)):
        reader = CardReader()
        reader.look(door(CODE, side, turned), START, 0.0)
        assert reader.shown is not None, (side, turned)
        assert reader.shown.card_hash == card.hash_of(CODE)


def test_other_codes_and_no_code_are_nothing() -> None:
    """A payment code on somebody's phone is not read at all."""
    for text in ("", "https://example.invalid/pay", CODE.lower(), CODE + "A"):
        reader = CardReader()
        reader.look(door(text), START, 0.0)
        assert reader.shown is None


def test_a_card_that_is_held_is_shown_once_and_again_after_it_was_away() -> None:
    """Its moment stays while it is held; after five seconds away it is another showing."""
    reader, there, away = CardReader(), door(CODE), door()
    reader.look(there, START, 0.0)
    reader.look(there, START + 2 * SECOND, 2.0)
    assert reader.shown is not None
    assert (reader.shown.at, reader.shown.seen) == (START, START + 2 * SECOND)
    reader.look(away, START + 4 * SECOND, 4.0)
    assert reader.shown.at == START
    reader.look(there, START + 8 * SECOND, 8.0)
    assert reader.shown.at == START + 8 * SECOND
    reader.look(away, START + 70 * SECOND, 70.0)
    assert reader.shown is None


def test_a_picture_is_not_searched_more_often_than_twice_a_second() -> None:
    """The core is the faces'."""
    reader = CardReader()
    reader.look(door(), START, 0.0)
    reader.look(door(CODE), START, 0.4)
    assert reader.shown is None
    reader.look(door(CODE), START, 0.5)
    assert reader.shown is not None
