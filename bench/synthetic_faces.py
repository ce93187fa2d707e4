#!/usr/bin/env python3
"""How well simple cues, raw pixels and a foreign embedder tell the people of a store apart.

usage: synthetic_faces.py STORE [PAIRS] [EMBEDDER.onnx]

Prints, for each cue, the area under the curve (a pair of one person nearer than a pair of two people; 0.5 is chance) and
how often the nearest other image is of the same person, beside chance. With PAIRS (facemae pairs) also the area over
those pairs alone, to set beside `facemae evaluate`. EMBEDDER needs onnxruntime: 1x3x112x112, BGR, (x - 127) / 128.
Needs numpy, h5py and pillow: .venv-bench of `scripts/setup.sh --bench` has them. 112 x 112 images, up to a few thousand.
"""
import io
import pathlib
import sys

import h5py
import numpy
from PIL import Image


def read(folder):
    """Images [n, 112, 112, 3] in 0..1, labels and encoded sizes, in the rows of the store."""
    images, labels, sizes = [], [], []
    for path in sorted(pathlib.Path(folder).glob("shard-*.h5")):
        with h5py.File(path, locking=False) as shard:
            blob, offsets = shard["blob"][:], shard["index/offset"][:].astype(int)
            labels.append(shard["index/label"][:])
            sizes.append(numpy.diff(offsets))
            for begin, end in zip(offsets, offsets[1:]):
                images.append(numpy.asarray(Image.open(io.BytesIO(blob[begin:end].tobytes())).convert("RGB")))
    return numpy.stack(images).astype(numpy.float32) / 255, numpy.concatenate(labels), numpy.concatenate(sizes)


def area(scores, same):
    """Area under the curve of scores that are higher for `same`; ties count half."""
    values, inverse, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    ranks = (numpy.cumsum(counts) - (counts - 1) / 2)[inverse]
    n = same.sum()
    return (ranks[same].sum() - n * (n + 1) / 2) / (n * (len(same) - n))


def similarity(features, cosine):
    features = features.reshape(len(features), -1).astype(numpy.float64)
    if cosine:
        features = features - features.mean(1, keepdims=True)
        features /= numpy.linalg.norm(features, axis=1, keepdims=True)
        return features @ features.T
    squares = (features**2).sum(1)
    return 2 * features @ features.T - squares[:, None] - squares[None, :]


def pooled(images, side):
    step = 112 // side
    return images.reshape(-1, side, step, side, step, 3).mean((2, 4))


def embed(images, path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    inputs = ((images[..., ::-1] * 255 - 127) / 128).transpose(0, 3, 1, 2)
    return numpy.concatenate([session.run(None, {name: numpy.ascontiguousarray(inputs[i : i + 1])})[0]
                              for i in range(len(inputs))])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    images, labels, sizes = read(sys.argv[1])
    lists = [word for word in sys.argv[2:] if not word.endswith(".onnx")]
    networks = [word for word in sys.argv[2:] if word.endswith(".onnx")]
    edge = numpy.concatenate([images[:, :4].reshape(len(images), -1), images[:, -4:].reshape(len(images), -1),
                              images[:, :, :4].reshape(len(images), -1), images[:, :, -4:].reshape(len(images), -1)], 1)
    corners = numpy.stack([images[:, a, b].mean((1, 2)) for a in (slice(12), slice(-12, None))
                           for b in (slice(12), slice(-12, None))], 1)
    histogram = numpy.stack([numpy.concatenate([numpy.histogram(image[..., c], 16, (0, 1))[0] for c in range(3)])
                             for image in images]) / 112**2
    cues = [("mean colour", images.mean((1, 2)), False), ("corner colours", corners, False),
            ("border, 4 pixels wide", edge, False), ("histogram, 16 levels a colour", histogram, False),
            ("size of the JPEG", sizes[:, None], False), ("pixels 28x28", pooled(images, 28), False),
            ("pixels 28x28, normalised", pooled(images, 28), True)]
    cues += [(pathlib.Path(path).stem, embed(images, path), True) for path in networks]

    upper = numpy.triu_indices(len(images), 1)
    same = labels[upper[0]] == labels[upper[1]]
    chance = same.mean()  # of drawing the same person by drawing another image
    pairs = [numpy.loadtxt(path, comments="#", dtype=numpy.int64) for path in lists]
    print(f"{len(images)} images of {len(set(labels))} people; chance of the nearest image: {chance:.3f}")
    for name, features, cosine in cues:
        scores = similarity(features, cosine)
        line = f"{name:32s} area {area(scores[upper], same):.3f}"
        for rows in pairs:
            line += f"  over the pairs {area(scores[rows[:, 0], rows[:, 1]], rows[:, 2] == 1):.3f}"
        numpy.fill_diagonal(scores, -numpy.inf)
        print(f"{line}  nearest image {(labels[scores.argmax(1)] == labels).mean():.3f}", flush=True)


if __name__ == "__main__":
    main()
