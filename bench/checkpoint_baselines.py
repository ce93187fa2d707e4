"""What torch.save and torch.distributed.checkpoint make of two faults that facemae's checkpoints are tested with.

usage: checkpoint_baselines.py FOLDER [FLIPS] [KILLS]     (.venv-bench/bin/python; scripts/setup.sh --bench)

flips: one bit of the saved tensors' bytes is flipped; does loading tell, or give other values without a word?
kills: a process saves again and again under one name, as tutorials do, and gets SIGKILL; does what lies there load, and is it a
state that was saved? (The state is consistent: every value of it is the number of the save.)
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import torch
import torch.distributed.checkpoint as dcp

warnings.filterwarnings("ignore")
SIZES = (1 << 20, 1 << 19, 1000)


def state(value):
    return {f"layer{i}.weight": torch.full((size,), float(value)) for i, size in enumerate(SIZES)}


def save(kind, folder, value):
    if kind == "torch.save":
        torch.save(state(value), folder / "checkpoint.pt")
    else:
        dcp.save(state(value), checkpoint_id=folder / "checkpoint", no_dist=True)


def load(kind, folder):
    if kind == "torch.save":
        return torch.load(folder / "checkpoint.pt", weights_only=True)
    loaded = state(-1)
    dcp.load(loaded, checkpoint_id=folder / "checkpoint", no_dist=True)
    return loaded


def verdict(kind, folder, allowed):
    """"right", "silently wrong" or "refused"."""
    try:
        values = {float(number) for tensor in load(kind, folder).values() for number in tensor.unique()[:3]}
        bad = {float(number) for tensor in load(kind, folder).values() for number in tensor.unique()} - values
    except BaseException:
        return "refused"
    return "right" if not bad and len(values) == 1 and allowed(values.pop()) else "silently wrong"


def flips(kind, folder, count):
    save(kind, folder, 7)
    file = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    before, found = file.read_bytes(), {}
    for _ in range(count):
        at = random.randrange(len(before) // 4, len(before) * 3 // 4)  # amid the tensors
        after = bytearray(before)
        after[at] ^= 1 << random.randrange(8)
        file.write_bytes(after)
        name = verdict(kind, folder, lambda value: value == 7)
        found[name] = found.get(name, 0) + 1
    return found


def kills(kind, folder, count):
    found = {}
    for _ in range(count):
        shutil.rmtree(folder)
        folder.mkdir()
        writer = subprocess.Popen([sys.executable, __file__, "write", kind, str(folder)], stdout=subprocess.PIPE)
        writer.stdout.readline()  # the first save is over
        time.sleep(random.uniform(0.1, 0.6))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        name = verdict(kind, folder, lambda value: value >= 1)
        found[name] = found.get(name, 0) + 1
    return found


if sys.argv[1] == "write":
    value = 0
    while True:
        value += 1
        save(sys.argv[2], Path(sys.argv[3]), value)
        if value == 1:
            print("saved", flush=True)
folder = Path(sys.argv[1])
torch.manual_seed(0)
torch.set_num_threads(1)
for kind in ("torch.save", "torch.distributed.checkpoint"):
    place = folder / kind
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    print(f"{kind:<30} flips: {flips(kind, place, int(sys.argv[2]) if len(sys.argv) > 2 else 60)}", flush=True)
    print(f"{kind:<30} kills: {kills(kind, place, int(sys.argv[3]) if len(sys.argv) > 3 else 20)}", flush=True)
    shutil.rmtree(place)
