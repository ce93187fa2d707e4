"""usage: embed_with_onnxruntime.py NETWORK FOLDER OURS.npy: embeds the pictures of a folder, in BGR and (x - 127) / 128, and
says whether each embedding is one of OURS, each of which is met once."""
import pathlib
import sys

import numpy
import onnxruntime
from PIL import Image

network, folder, ours = sys.argv[1:]
session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
theirs = []
for path in sorted(pathlib.Path(folder).rglob("*.jpg")):
    bgr = numpy.asarray(Image.open(path).convert("RGB"), dtype=numpy.float32)[:, :, ::-1]
    picture = ((bgr - 127) / 128).transpose(2, 0, 1)[None]
    theirs.append(session.run(None, {session.get_inputs()[0].name: numpy.ascontiguousarray(picture)})[0].ravel())
theirs, ours = numpy.stack(theirs), numpy.load(ours)
assert theirs.shape == ours.shape, (theirs.shape, ours.shape)
distances = numpy.abs(theirs[:, None] - ours[None]).max(axis=2)
scale = numpy.abs(ours).max()
assert sorted(distances.argmin(axis=1)) == list(range(len(ours))), "embeddings do not match one to one"
print(f"largest difference {distances.min(axis=1).max():.2e} of values up to {scale:.2f}")
assert distances.min(axis=1).max() < 1e-3 * scale, "they differ"
print("all alike")
