"""From an aligned crop to a vector of length 1 whose cosine says how alike two faces are."""

from __future__ import annotations

import cv2
import numpy as np

from camera.faces import manifest as manifests
from camera.faces.align import Picture
from camera.faces.compare import Vector, unit
from camera.faces.manifest import Manifest, ModelError
from edge import assets


class Embedder:
    """One face network, loaded. The file's hash is checked before OpenCV sees its bytes."""

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        self.manifest = manifest
        try:
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(content, dtype=np.uint8))
        except cv2.error as error:
            raise ModelError(f"OpenCV cannot load the face network {manifest.file}") from error

    def embed(self, crop: Picture) -> Vector:
        """Return the embedding of an aligned *crop* (size×size RGB): ``dimension`` values."""
        size = self.manifest.size
        if crop.shape != (size, size, 3):
            raise ValueError(f"a crop of {crop.shape} instead of ({size}, {size}, 3)")
        embedding = self._forward(crop)
        if self.manifest.flip:
            embedding = unit(embedding + self._forward(crop[:, ::-1]))
        return embedding

    def _forward(self, crop: Picture) -> Vector:
        plane = (crop.astype(np.float32) - self.manifest.mean) / self.manifest.scale
        self._net.setInput(np.ascontiguousarray(plane.transpose(2, 0, 1)[None]))
        values = np.asarray(self._net.forward(), dtype=np.float32).reshape(-1)
        if values.shape != (self.manifest.dimension,):
            raise ModelError(
                f"The face network {self.manifest.file} gives {values.size} values instead of "
                f"{self.manifest.dimension}: its manifest is wrong."
            )
        return unit(values)


def load(name: str = manifests.DEFAULT) -> Embedder:
    """Return the embedder that the product ships as *name*, from the installed assets."""
    manifest = manifests.load(name)
    return Embedder(manifest, manifest.read(assets.path(f"models/{manifest.file}")))
