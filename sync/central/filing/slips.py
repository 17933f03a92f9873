"""Cards and PINs of trainees on paper: issued, hashed, printed once.

Promises that a PIN and a card's code stand on their paper and nowhere else; rosters carry hashes.
Six digits do not withstand somebody who has stolen a box's disk and has the days to try them all: a
stolen box means new PINs.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from argon2 import PasswordHasher
from sqlalchemy import Connection, select, update

from edge import card
from edge.look import qr
from sync.central.filing.tables import class_trainee, filed_class, person

_DIGITS = 6
# A box checks one at the door within some 50 ms; every trainee of a class has one.
_HASHER = PasswordHasher()
_STYLE = """
body { font: 14pt sans-serif; margin: 8mm; }
main { display: grid; grid-template-columns: 1fr 1fr; }
section { border: 1px dashed #888; padding: 6mm; break-inside: avoid; }
h1 { font-size: 12pt; font-weight: normal; margin: 0 0 3mm; }
svg { float: right; width: 32mm; height: 32mm; }
p { margin: 1mm 0; } b { font-size: 20pt; letter-spacing: 2pt; } small { color: #444; }
"""


@dataclass(frozen=True, slots=True)
class Slip:
    """One trainee's card, and the slip with the PIN. ``code``: what the card's QR code says."""

    class_name: str
    number: str
    name: str
    pin: str = field(repr=False)
    code: str = field(repr=False)


def fresh_pin() -> str:
    """Return a PIN that nobody can guess from another."""
    return "".join(secrets.choice("0123456789") for _ in range(_DIGITS))


def issue(connection: Connection, period_id: str, numbers: Sequence[str] = ()) -> list[Slip]:
    """Give the trainees of a class new PINs, all or those *numbers*; return their slips."""
    found = (
        select(person.c.id, person.c.name, class_trainee.c.number, filed_class.c.name)
        .join(class_trainee, class_trainee.c.person_id == person.c.id)
        .join(filed_class, filed_class.c.period_id == class_trainee.c.period_id)
        .where(class_trainee.c.period_id == period_id)
        .order_by(class_trainee.c.number)
    )
    if numbers:
        found = found.where(class_trainee.c.number.in_(numbers))
    slips: list[Slip] = []
    for own, name, number, class_name in connection.execute(found).all():
        pin, code = fresh_pin(), card.text_of(secrets.token_bytes(card.CODE_BYTES))
        hashes = {"pin_hash": _HASHER.hash(pin), "card_hash": card.hash_of(code)}
        connection.execute(update(person).where(person.c.id == own).values(**hashes))
        slips.append(Slip(class_name, number, name, pin, code))
    return slips


def page(slips: Sequence[Slip]) -> str:
    """Return a page of slips to print and cut apart."""
    sections = "\n".join(
        f"<section>{qr.svg(one.code)}<h1>{escape(one.class_name)}</h1>"
        f"<p>{escape(one.name)} &nbsp; 学号 No. {escape(one.number)}</p>"
        "<p><small>签到卡：对准教室门口的摄像头，再输入密码。<br>"
        "Card: hold it before the camera at the door, then enter the PIN.</small></p></section>"
        f"<section><h1>{escape(one.class_name)} · 学号 No. {escape(one.number)}</h1>"
        f"<p>签到密码 PIN <b>{one.pin}</b></p>"
        "<p><small>没带卡时在屏幕上按“密码签到”。请勿告诉他人，请勿与卡放在一起。<br>"
        "Without the card press “Use a PIN”. Tell nobody; keep it apart from the card.</small></p>"
        "</section>"
        for one in slips
    )
    # Two columns: the card on the left, its PIN on the right.
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>PIN</title>'
        f"<style>{_STYLE}</style></head><body><main>\n{sections}\n</main></body></html>\n"
    )
