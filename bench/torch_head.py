"""The head of bench/head.cpp in plain PyTorch, as arcface_torch has it since 2022: sampled rows are indexed out of a dense
parameter, whose gradient and SGD are over all rows. Prints the median seconds of a step and the MiB at the peak above the
start.

usage: torch_head.py head CLASSES RATE [name=value...]
       torch_head.py update CLASSES SAMPLED [name=value...]      the optimizer alone
  batch=64  steps=5  threads=2, as bench_head
"""
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F

DEFAULTS = {"batch": 64, "steps": 5, "threads": 2}
WIDTH, SCALE, MARGIN = 512, 64, 0.4


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sample(labels, classes, rate):
    """The classes of a step, ascending, and the place of each label among them."""
    if rate >= 1:
        return None, labels
    positive = torch.unique(labels, sorted=True)
    count = int(rate * classes)
    if count > len(positive):
        order = torch.rand(classes)
        order[positive] = 2.0
        positive = torch.topk(order, k=count)[1].sort()[0]
    return positive, torch.searchsorted(positive, labels)


def head_step(option, classes, rate):
    weight = torch.nn.Parameter(torch.randn(classes, WIDTH).mul_(0.01))
    embeddings = torch.nn.Parameter(torch.randn(option["batch"], WIDTH))
    optimizer = torch.optim.SGD([weight, embeddings], lr=1e-3, momentum=0.9, weight_decay=5e-4)
    labels = torch.randint(classes, (option["batch"],))

    def step():
        optimizer.zero_grad()
        rows, targets = sample(labels, classes, rate)
        centres = weight if rows is None else weight[rows]
        cosines = (F.normalize(embeddings) @ F.normalize(centres).T).clamp(-1, 1)
        cosines[torch.arange(len(targets)), targets] -= MARGIN
        F.cross_entropy(SCALE * cosines, targets).backward()
        optimizer.step()

    return step


def update_step(option, classes, sampled):
    weight = torch.nn.Parameter(torch.zeros(classes, WIDTH))
    optimizer = torch.optim.SGD([weight], lr=1e-3, momentum=0.9, weight_decay=5e-4)
    weight.grad = torch.zeros(classes, WIDTH)
    rows = torch.arange(int(sampled)) * classes // int(sampled)
    weight.grad[rows] = torch.randn(int(sampled), WIDTH)
    return optimizer.step


def main():
    what, classes, share = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    option = {**DEFAULTS, **{name: int(value) for name, value in (word.split("=", 1) for word in sys.argv[4:])}}
    assert set(option) == set(DEFAULTS), f"unknown: {set(option) - set(DEFAULTS)}"
    torch.set_num_threads(option["threads"])
    torch.manual_seed(1)
    torch.ones(64, 64) @ torch.ones(64, 64)
    before = peak_mib()
    step = {"head": head_step, "update": update_step}[what](option, classes, share)
    seconds = []
    for i in range(-1, option["steps"]):  # the first touches memory for the first time
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    print(f"{statistics.median(seconds[1:]):.5f} {peak_mib() - before:.0f}")


main()
