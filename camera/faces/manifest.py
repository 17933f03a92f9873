"""What a face recogniser is, as data: its networks with hash, licence and input, its thresholds.

Promises that a manifest, once loaded, is complete and plausible, and that the bytes of a network
are handed out only when their hash is the manifest's.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

from camera.faces.compare import Thresholds

DEFAULT = "fr_mobile"


class ModelError(Exception):
    """A face network cannot be used; the message says what to do."""


class Mirror(StrEnum):
    """How a face's mirror image is averaged in."""

    NONE = "none"
    APART = "apart"  # a run of its own
    TOGETHER = "together"  # the network takes the face and its mirror image in one run


@dataclass(frozen=True, slots=True)
class Network:
    """One network. ``size`` is the side of its square input in pixels.

    ``weight`` is its share of the cosine, above 0 and at most 1.
    """

    file: str
    sha256: str
    licence: str
    origin: str
    remark: str
    dimension: int
    weight: float
    size: int
    mean: float
    scale: float
    mirror: Mirror

    def read(self, path: Path) -> bytes:
        """Return the network's bytes from *path*; raises ModelError when they are not the ones."""
        return checked(path, self.sha256, f"{self.file} of {self.origin}")


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


@dataclass(frozen=True, slots=True)
class Manifest:
    """One recogniser: networks whose embeddings stand side by side, and its thresholds.

    ``version`` changes whenever templates stop being comparable.
    """

    name: str
    version: str
    networks: tuple[Network, ...]
    thresholds: Thresholds

    @property
    def dimension(self) -> int:
        """How many values a template has."""
        return sum(network.dimension for network in self.networks)


def parse(text: str) -> Manifest:
    """Return the manifest that the TOML *text* holds; raises ModelError naming the key."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
        networks = tuple(_network(entry) for entry in values["network"])
        limits = values["thresholds"]
        thresholds = Thresholds(**{key.name: limits[key.name] for key in fields(Thresholds)})
        name, version = values["name"], values["version"]
    except KeyError as error:
        raise ModelError(f"manifest: {error.args[0]} is missing") from error
    except ValueError as error:
        raise ModelError(f"manifest: {error}") from error
    if not math.isclose(sum(network.weight for network in networks), 1):
        raise ModelError("manifest: the weights of the networks do not add up to 1")
    return Manifest(name, version, networks, thresholds)


def _network(entry: dict[str, Any]) -> Network:
    given = {key.name: entry[key.name] for key in fields(Network)}
    if not 0 < given["weight"] <= 1:
        raise ValueError(f"{given['file']}: weight must be above 0 and at most 1")
    return Network(**{**given, "mirror": Mirror(given["mirror"])})


def load(name: str = DEFAULT) -> Manifest:
    """Return a manifest that is shipped with the product. Raises ModelError."""
    place = resources.files("camera.faces") / f"{name}.toml"
    if not place.is_file():
        raise ModelError(f"No face recogniser is called {name}. There are: {', '.join(shipped())}.")
    return parse(place.read_text("utf-8"))


def shipped() -> list[str]:
    """Return the names of the manifests that are shipped with the product."""
    folder = resources.files("camera.faces")
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )
