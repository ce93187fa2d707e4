"""Embeds the pictures of a folder by ONNX Runtime, and says whether each embedding is one of OURS, each of which is met once."""
import argparse
import pathlib

import numpy
import onnxruntime
from PIL import Image

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("network")
options.add_argument("folder")
options.add_argument("ours")
options.add_argument("--order", choices=["rgb", "bgr"], default="bgr")
options.add_argument("--mean", type=float, default=127)
options.add_argument("--scale", type=float, default=128)
options.add_argument("--batch", type=int, default=1)
options.add_argument("--tolerance", type=float, default=1e-3, help="of the largest value of an embedding")
given = options.parse_args()

session = onnxruntime.InferenceSession(given.network, providers=["CPUExecutionProvider"])
pictures = []
for path in sorted(p for p in pathlib.Path(given.folder).rglob("*") if p.suffix in (".jpg", ".png")):
    rgb = numpy.asarray(Image.open(path).convert("RGB"), dtype=numpy.float32)
    pixels = rgb if given.order == "rgb" else rgb[:, :, ::-1]
    pictures.append(((pixels - given.mean) / given.scale).transpose(2, 0, 1))
pictures = numpy.ascontiguousarray(numpy.stack(pictures), dtype=numpy.float32)
name = session.get_inputs()[0].name
theirs = numpy.concatenate(
    [session.run(None, {name: pictures[at : at + given.batch]})[0] for at in range(0, len(pictures), given.batch)]
).reshape(len(pictures), -1)
ours = numpy.load(given.ours)
assert theirs.shape == ours.shape, (theirs.shape, ours.shape)
distances = numpy.abs(theirs[:, None] - ours[None]).max(axis=2)
scale = numpy.abs(ours).max()
assert sorted(distances.argmin(axis=1)) == list(range(len(ours))), "embeddings do not match one to one"
print(f"largest difference {distances.min(axis=1).max():.2e} of values up to {scale:.2f}")
assert distances.min(axis=1).max() < given.tolerance * scale, "they differ"
print("all alike")
