"""What a check says of ZIP files that are not what they seem."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from tests.bundle.stage import School
from tests.bundle.tampering import fault_of


def _truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _no_zip(_: bytes) -> bytes:
    return b"%PDF-1.7"


def _damaged(whole: bytes) -> bytes:
    place = whole.index(b"\xff\xd8\xff") + 200
    return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


def _before(whole: bytes) -> bytes:
    return b"#!/bin/sh\n" + whole


def _comment(whole: bytes) -> bytes:
    return whole[:-2] + struct.pack("<H", 4) + b"evil"


def _with(name: str, content: bytes = b"x", compressed: bool = False) -> Callable[[bytes], bytes]:
    def add(whole: bytes) -> bytes:
        written = io.BytesIO(whole)
        with zipfile.ZipFile(written, "a") as archive:
            info = zipfile.ZipInfo("placeholder")
            info.filename = info.orig_filename = name
            if compressed:
                info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
        return written.getvalue()

    return add


def _linked(whole: bytes) -> bytes:
    written = io.BytesIO(whole)
    with zipfile.ZipFile(written, "a") as archive:
        info = zipfile.ZipInfo("stamps/9.txt")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return written.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("tamper", "code", "place"),
    [
        (_truncated, "truncated", ""),
        (_no_zip, "truncated", ""),
        (_damaged, "damaged", "media/"),
        (_before, "hidden_bytes", "index.html"),
        (_comment, "hidden_bytes", ""),
        (_with("index.html"), "duplicate", "index.html"),
        (_with("../../autorun.html"), "unsafe_name", "../../autorun.html"),
        (_with("/etc/cron.d/x"), "unsafe_name", "/etc/cron.d/x"),
        (_with("C:\\x.html"), "unsafe_name", "C:\\x.html"),
        (_with("index.html\0.exe"), "unsafe_name", "index.html\0.exe"),
        (_linked, "unsafe_name", "stamps/9.txt (a link)"),
        (_with("setup.exe"), "extra_file", "setup.exe"),
        (_with("stamps/9.txt", bytes(10 << 20), True), "bomb", "stamps/9.txt"),
    ],
    ids=["truncated", "no-zip", "damaged", "before", "comment", "twice", "parent", "root",
         "drive", "zero", "link", "program", "bomb"],
)  # fmt: skip
def test_a_zip_that_is_not_what_it_seems_is_refused(
    school: School, whole: bytes, tamper: Callable[[bytes], bytes], code: str, place: str
) -> None:
    """Before anything in it is read, and nothing is ever unpacked."""
    found = fault_of(tamper(whole), school.centre.signer.public_key)
    assert found[0] == code
    assert place in found[1]
