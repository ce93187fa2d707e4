"""Compares what two programs left of one case of scripts/witness.sh: witness_compare.py OLD NEW NAME TOLERANCE.

Prints `equal NAME`, `near NAME: ...`, `DIFFERS NAME: ...` or `FAULT NAME: ...` (both failed alike). OLD and NEW are the
folders that witness.sh recorded: code, said, and whichever of the other files the run left.
"""
import json
import os
import re
import sys

old, new, name = sys.argv[1:4]
tolerance = float(sys.argv[4])
TIMES = re.compile(
    r"(^|_)seconds$|_per_second$|^mfu$|^(busiest|most_data_wait|most_memory)_|^data_(slow_reads|retries|rereads)$"
)
# What a tolerance judges. Figures that magnify a difference (of the size of 1 and near 0, counts of few) are only told.
JUDGED = ("loss", "reconstruction", "relation", "relation_weight", "lr")
NEAR_ZERO = ("relation_correlation", "accuracy", "accuracy_std", "auc", "eer")


def read(folder, file):
    path = os.path.join(folder, file)
    return open(path, errors="replace").read() if os.path.exists(path) else None


def distance(key, a, b):
    """Relative, or None when no distance can tell how far a and b are apart."""
    if a == b or (a != a and b != b):
        return 0.0
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (a, b))
    if not numbers or key in ("step", "images", "epoch", "pairs", "folds"):
        return None
    scale = 1.0 if key in NEAR_ZERO else max(abs(a), abs(b))
    far = abs(a - b) / scale
    return far if far == far else None


def compare_lines(file, a, b):
    """(what differs beyond the tolerance, the first of it; the greatest distance of each key)."""
    a = [json.loads(line) for line in (a or "").splitlines()]
    b = [json.loads(line) for line in (b or "").splitlines()]
    greatest = {}
    for x, y in zip(a, b):
        step = x.get("step", "?")
        keys = [[k for k in line if not TIMES.search(k)] for line in (x, y)]
        if keys[0] != keys[1]:
            return f"{file}, step {step}: keys {' '.join(keys[0])} | {' '.join(keys[1])}", greatest
        for key in keys[0]:
            far = distance(key, x[key], y[key])
            if far is None or far > (tolerance if key in JUDGED or not tolerance else float("inf")):
                return f"{file}, step {step}: {key} {x[key]!r} | {y[key]!r}", greatest
            greatest[key] = max(greatest.get(key, 0.0), far)
    if len(a) != len(b):
        return f"{file}: {len(a)} | {len(b)} lines", greatest
    return None, greatest


def compare_text(file, a, b):
    if a == b:
        return None
    a, b = (a or "").splitlines(), (b or "").splitlines()
    for x, y in zip(a, b):
        if x != y:
            return f"{file}: {x} | {y}"
    if len(a) == len(b):
        return f"{file} is there once only"
    longer = a if len(a) > len(b) else b
    return f"{file}: {len(a)} | {len(b)} lines, the first one more is: {longer[min(len(a), len(b))]}"


if read(old, "code") != read(new, "code"):
    parts = [f"{read(x, 'code').strip()} ({read(x, 'said').strip() or 'nothing said'})" for x in (old, new)]
    print(f"DIFFERS {name}: exit code {parts[0]} | {parts[1]}")
    sys.exit()
if read(old, "code").strip() not in ("0", "76"):
    if read(old, "said") == read(new, "said"):
        print(f"FAULT {name}: both failed with {read(old, 'code').strip()}: {read(old, 'said').strip()}")
    else:
        print(f"DIFFERS {name}: both failed, {read(old, 'said').strip()} | {read(new, 'said').strip()}")
    sys.exit()

files = sorted(set(os.listdir(old)) | set(os.listdir(new)))
faults, greatest, others = [], {}, []
lines = [file for file in files if file.endswith((".jsonl", "outcome.json"))]
for file in lines:
    fault, far = compare_lines(file, read(old, file), read(new, file))
    faults += [fault] if fault else []
    greatest.update({key: max(greatest.get(key, 0.0), x) for key, x in far.items()})
for file in (f for f in files if f not in lines and f != "said"):
    fault = compare_text(file, read(old, file), read(new, file))
    if fault:  # where numbers may be near, roots and pictures are others
        (others if tolerance and file in ("roots", "pictures") else faults).append(fault)
if faults:
    print(f"DIFFERS {name}: {'; '.join(faults + others)}")
elif any(greatest.values()) or others:
    judged = max((far for key, far in greatest.items() if key in JUDGED), default=0.0)
    told = [f"{key} {far:.2g}" for key, far in greatest.items() if key not in JUDGED and far]
    print(f"near {name}: greatest relative difference {judged:.2g}" + (f" ({', '.join(told)})" if told else ""))
else:
    print(f"equal {name}")
