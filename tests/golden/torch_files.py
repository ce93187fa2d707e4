"""Files of torch.save for torch_files_test.cpp, and a look at ours.

usage: torch_files.py make numbers/torch_made.pt numbers/torch_made.safetensors      needs torch and numpy
       torch_files.py check numbers/torch_ours.pt numbers/torch_made.safetensors

`make` saves what a training saves, with a state dict of every type, of views and of shared storages beside objects that
only Python understands; the safetensors file has the values. `check` loads, with weights_only=True, the file that this
project's writer makes of the same values, and compares bit for bit.
"""
import argparse
import collections
import json
import pathlib
import struct
import sys

import numpy
import torch

NAMES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}


class Thing:
    """An object of a class that no reader knows."""

    def __init__(self):
        self.things = [self]


def values():
    draw = torch.Generator().manual_seed(11)
    state = collections.OrderedDict()
    for dtype, name in NAMES.items():
        state["every." + name] = (torch.randn(3, 1, 5, generator=draw) * 20).to(dtype)
    base = torch.randn(6, 4, generator=draw)
    state["base"] = base
    state["rows"] = base[2:5]
    state["turned"] = base.t()
    state["every_second"] = base[::2, 1::2]
    state["expanded"] = torch.randn(1, 3, generator=draw).expand(4, 3)
    state["scalar"] = torch.tensor(2.5, dtype=torch.float64)
    state["empty"] = torch.zeros(0, 7)
    state["parameter"] = torch.nn.Parameter(torch.randn(5, generator=draw).bfloat16())
    state["count"] = torch.tensor(12)
    return state


def make(archive, expected):
    state = values()
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    behind = collections.OrderedDict(("module." + name, tensor) for name, tensor in state.items())
    behind._metadata = {"": {"version": 1}}
    torch.save({"epoch": 3, "global_step": 1200, "hyper_parameters": argparse.Namespace(lr=0.1, path=pathlib.Path("a")),
                "best": numpy.float64(0.5), "seen": {1, 2}, "counts": collections.Counter("abba"), "big": 1 << 90,
                "thing": Thing(), "random": torch.get_rng_state(), "device": torch.device("cpu"), "type": torch.float32,
                "optimizer": optimizer.state_dict(), "state_dict": behind}, archive)
    header, data = {}, b""
    for name, tensor in state.items():
        plain = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(plain)]}
        data += plain
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(expected).write_bytes(struct.pack("<Q", len(text)) + text + data)


def check(archive, expected):
    raw = pathlib.Path(expected).read_bytes()
    length, = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    state = torch.load(archive, weights_only=True)
    assert list(state) == list(header), "other names, or another order"
    for name, tensor in state.items():
        entry = header[name]
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        assert NAMES[tensor.dtype] == entry["dtype"] and list(tensor.shape) == entry["shape"], name
        assert tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() == raw[begin:end], name
    mapped = torch.load(archive, weights_only=True, mmap=True)
    assert all(torch.equal(tensor, mapped[name]) for name, tensor in state.items())
    print(f"{archive}: {len(state)} tensors, bit for bit")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
