"""Is what a program wrote what was recorded? same.py KIND RECORDED NEW; says the first difference and ends in 1.

facts   JSON: whatever was recorded is there, with the same value; there may be more
keys    lines of JSON: as many, of the same steps, with the same keys in the same order; values may be others, and LATER
        keys between them
losses  lines of JSON: the same losses within 1e-4
config  `key = value`: the same lines in the same order; options that are newer may stand between them
"""
import json
import os
import sys

kind, recorded, new = sys.argv[1:]
SOMETIMES = {"save_stalled_seconds", "data_slow_reads", "data_rereads", "data_retries"}
LATER = {"model_teraflops_per_second", "mfu", "norm", "norm_deviation", "xnorm"} | {
    f"{most}_{what}"
    for most, whats in {
        "busiest": ("seconds", "rank"),
        "most_data_wait": ("seconds", "rank"),
        "most_memory": ("bytes", "rank"),
    }.items()
    for what in whats
}


def differ(text):
    print(f"  {new}: {text}")
    sys.exit(1)


def inside(a, b, path):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in a:
            if key not in b:
                differ(f"{path}{key} is missing")
            inside(a[key], b[key], f"{path}{key}.")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            inside(x, y, f"{path}{i}.")
    elif a != b:
        differ(f"{path[:-1]} is {b!r}, was {a!r}")


if not os.path.exists(new):
    differ("is not there")
a, b = open(recorded).read(), open(new).read()
if kind == "facts":
    inside(json.loads(a), json.loads(b), "")
elif kind == "config":
    a, b = a.splitlines(), b.splitlines()
    known = {line.split(" = ")[0] for line in a}
    b = [line for line in b if line.split(" = ")[0] in known]
    for x, y in zip(a, b):
        if x != y:
            differ(f"{y!r}, was {x!r}")
    if len(a) != len(b):
        differ(f"{len(b)} lines, were {len(a)}")
else:
    a, b = ([json.loads(line) for line in text.splitlines()] for text in (a, b))
    if [x["step"] for x in a] != [y.get("step") for y in b]:
        differ(f"steps {[y.get('step') for y in b]}, were {[x['step'] for x in a]}")
    for x, y in zip(a, b):
        if kind == "losses":
            if not abs(x["loss"] - y["loss"]) <= 1e-4 * abs(x["loss"]):
                differ(f"step {x['step']}: loss {y['loss']}, was {x['loss']}")
            continue
        keys = [[key for key in line if key not in SOMETIMES | LATER] for line in (x, y)]
        if keys[0] != keys[1]:
            differ(f"step {x['step']}: keys {' '.join(keys[1])}, were {' '.join(keys[0])}")
