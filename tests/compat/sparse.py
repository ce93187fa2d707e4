"""Weights that compress: sparse.py IN.safetensors OUT.safetensors writes those of IN with nearly all numbers 0.

Only what lies on a thin path through the network is not 0, and there it is a pattern of few values. What is not on the
path has no gradient and stays 0 for ever, and so do its moments: a checkpoint of millions of numbers fits into some
kilobytes, and the numbers of the path are trained all the same.
"""
import json
import struct
import sys

PATH = 2  # channels of the path
WIDE = 24  # of the embedding's 512 numbers

data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8 : 8 + length])
out = bytearray(data)


def value(name, at):
    """The number of a tensor at an index, for float tensors."""
    mae = "decoder_pred.weight" in header
    last = name.rsplit(".", 1)[-1]
    if mae:
        if name == "decoder_norm.weight":
            return 1.0 if at[0] < PATH else 0.0
        if name == "decoder_pred.weight":
            return (0.125 if (at[0] + at[1]) % 3 else -0.25) if at[1] < PATH else 0.0
        return 0.0
    if last == "running_var":
        return 1.0
    if name == "features.weight":
        return 1.0 if at[0] < WIDE else 0.0
    if name == "fc.weight":
        return (0.25 if (at[0] * 5 + at[1] * 3) % 7 < 3 else -0.5) if at[1] < PATH and at[0] < WIDE else 0.0
    if name == "pool.weight":
        return (0.03125 if (at[0] + at[2] * 3 + at[3]) % 4 else -0.0625) if at[0] < PATH else 0.0
    if "downsample.0.weight" in name or name == "conv1.weight":
        inside = at[0] < PATH and (name == "conv1.weight" or at[1] < PATH)
        return (0.25 if (at[0] * 3 + at[1] + at[2] * 2 + at[3]) % 3 else -0.5) if inside else 0.0
    if ("downsample.1.weight" in name or name in ("bn1.weight", "bn2.weight")) and at[0] < PATH:
        return 1.0
    if name == "prelu.weight":
        return 0.25
    return 0.0


def indices(shape):
    at = [0] * len(shape)
    while True:
        yield at
        for i in reversed(range(len(shape))):
            at[i] += 1
            if at[i] < shape[i]:
                break
            at[i] = 0
        else:
            return


for name, tensor in header.items():
    if name == "__metadata__" or tensor["dtype"] != "F32" or name in ("pos_embed", "decoder_pos_embed"):
        continue
    begin = 8 + length + tensor["data_offsets"][0]
    end = 8 + length + tensor["data_offsets"][1]
    out[begin:end] = bytes(end - begin)
    for i, at in enumerate(indices(tensor["shape"])):
        number = value(name, at)
        if number:
            struct.pack_into("<f", out, begin + 4 * i, number)
open(sys.argv[2], "wb").write(out)
