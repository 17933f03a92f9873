"""What a face network is, as data: file, hash, licence, input, dimension, thresholds.

Promises that a manifest, once loaded, is complete and plausible, and that the bytes of a network
are handed out only when their hash is the manifest's.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from camera.faces.compare import Thresholds

DEFAULT = "fr_feature"


class ModelError(Exception):
    """A face network cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One face network. ``size`` is the side of its square input in pixels.

    ``version`` changes whenever templates stop being comparable.
    """

    name: str
    version: str
    file: str
    sha256: str
    licence: str
    origin: str
    remark: str
    dimension: int
    size: int
    mean: float
    scale: float
    flip: bool
    thresholds: Thresholds

    def read(self, path: Path) -> bytes:
        """Return the network's bytes from *path*; raises ModelError when they are not the ones."""
        return checked(path, self.sha256, f"{self.name} {self.version}")


def checked(path: Path, sha256: str, what: str) -> bytes:
    """Return the bytes at *path*; raises ModelError when their hash is not that of *what*."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The network {path.name} cannot be read at {path} ({error.strerror}). "
            "Run ./box again: it fetches what is missing."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"The network at {path} is not {what}: its SHA-256 is {found}, expected {sha256}. "
            "Delete the file and run ./box again."
        )
    return content


def parse(text: str) -> Manifest:
    """Return the manifest that the TOML *text* holds; raises ModelError naming the key."""
    values: dict[str, Any] = tomllib.loads(text)
    try:
        top = {
            key: values[key]
            for key in (
                "name",
                "version",
                "file",
                "sha256",
                "licence",
                "origin",
                "remark",
                "dimension",
            )
        }
        given = values["input"]
        entry = {key: given[key] for key in ("size", "mean", "scale", "flip")}
        limits = values["thresholds"]
        thresholds = Thresholds(
            **{key: limits[key] for key in ("accept", "stranger", "margin", "same_face")}
        )
    except KeyError as error:
        raise ModelError(f"manifest: {error.args[0]} is missing") from error
    except ValueError as error:
        raise ModelError(f"manifest: {error}") from error
    return Manifest(**top, **entry, thresholds=thresholds)


def load(name: str = DEFAULT) -> Manifest:
    """Return a manifest that is shipped with the product."""
    place = resources.files("camera.faces") / f"{name}.toml"
    return parse(place.read_text("utf-8"))
