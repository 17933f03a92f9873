"""From an aligned crop to a vector of length 1 whose cosine says how alike two faces are.

The vector is what the networks of a manifest say, side by side. A *view* is one run of one network
on the crop or on its mirror image; its vector is silent (zeros) where other networks speak. A
photo is embedded by all views at once; of a film each frame is embedded by one view in turn, so
that a frame costs one run, and a few frames carry all views.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped]  # has no types
from numpy.typing import NDArray

from camera.faces import manifest as manifests
from camera.faces.align import Picture
from camera.faces.compare import Vector, mean, unit
from camera.faces.manifest import Manifest, Mirror, ModelError, Network
from camera.faces.quiet import without_chatter
from edge import assets

# From a batch of planes (n, size, size, 3), normalised, to the batch's values (n, dimension).
Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Glance = Callable[[Picture], Vector]


# For each way to average: the runs, and in each run whether the crop is mirrored.
_WAYS: dict[Mirror, list[tuple[bool, ...]]] = {
    Mirror.NONE: [(False,)],
    Mirror.APART: [(False,), (True,)],
    Mirror.TOGETHER: [(False, True)],
}


class Embedder:
    """The networks of a *manifest*, loaded. Raises ModelError where one does not load."""

    def __init__(self, manifest: Manifest, contents: list[bytes]) -> None:
        self.manifest = manifest
        begins = 0
        of_networks: list[list[Glance]] = []
        for network, content in zip(manifest.networks, contents, strict=True):
            part = slice(begins, begins + network.dimension)
            run = _lite(network, content) if _is_lite(network) else _onnx(network, content)
            of_networks.append(_views(network, run, part, manifest.dimension))
            begins = part.stop
        # Each network's first view comes before any network's second one.
        self._views = [
            view for views in zip_longest(*of_networks) for view in views if view is not None
        ]

    @property
    def views(self) -> int:
        """How many views there are: so many frames in a row carry all of them."""
        return len(self._views)

    def glance(self, crop: Picture, turn: int) -> Vector:
        """Return what one view, whose *turn* it is, says of an aligned *crop* (size×size RGB)."""
        return self._views[turn % self.views](crop)

    def embed(self, crop: Picture) -> Vector:
        """Return the embedding of an aligned *crop* (size×size RGB): ``dimension`` values."""
        return mean([view(crop) for view in self._views])


def load(name: str = manifests.DEFAULT) -> Embedder:
    """Return the embedder that the product ships as *name*, from the installed assets."""
    manifest = manifests.load(name)
    contents = [
        network.read(assets.path(f"models/{network.file}")) for network in manifest.networks
    ]
    return Embedder(manifest, contents)


def _views(network: Network, run: Run, part: slice, dimension: int) -> list[Glance]:
    """Return the views of a *network* whose values stand at *part* of an embedding."""
    ways = _WAYS[network.mirror]
    # The sum of a network's views then has the length that makes its share of a cosine `weight`.
    length = np.sqrt(network.weight) / len(ways)

    def view_of(sides: tuple[bool, ...]) -> Glance:
        def glance(crop: Picture) -> Vector:
            if crop.shape != (network.size, network.size, 3):
                side = network.size
                raise ValueError(f"a crop of {crop.shape} instead of ({side}, {side}, 3)")
            plane = (crop.astype(np.float32) - network.mean) / network.scale
            batch = np.stack([plane[:, ::-1] if mirrored else plane for mirrored in sides])
            values = run(np.ascontiguousarray(batch))
            if values.shape != (len(sides), network.dimension):
                raise ModelError(
                    f"The face network {network.file} gives {values.size // len(sides)} values "
                    f"instead of {network.dimension}: its manifest is wrong."
                )
            seen = np.zeros(dimension, dtype=np.float32)
            seen[part] = mean([unit(row) for row in values]) * length
            return seen

        return glance

    return [view_of(sides) for sides in ways]


def _is_lite(network: Network) -> bool:
    return network.file.endswith(".tflite")


def _onnx(network: Network, content: bytes) -> Run:
    try:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(content, dtype=np.uint8))
    except cv2.error as error:
        raise ModelError(f"OpenCV cannot load the face network {network.file}") from error

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        net.setInput(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))
        return np.asarray(net.forward(), dtype=np.float32).reshape(len(batch), -1)

    return run


def _lite(network: Network, content: bytes) -> Run:
    # OpenCV cannot run this kind: it lacks one of MobileFaceNet's operators.
    try:
        with without_chatter():
            interpreter = Interpreter(model_content=content, num_threads=cv2.getNumThreads())
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"LiteRT cannot load the face network {network.file}") from error
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter.set_tensor(taken["index"], batch)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(given["index"]), dtype=np.float32)

    return run
