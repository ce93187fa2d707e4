"""FaceMAE (tiny, patches of 16, without a relation) by DistributedDataParallel over gloo, each rank a process with one
thread and half, a third ... of the batch. Prints images per second of all ranks together.

usage: torch_ddp.py RANKS BATCH STEPS
"""
import os
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from torch_steps import FaceMae

WARM = 2


def rank_main(rank, ranks, batch, steps, meeting):
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    torch.manual_seed(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
    plain = FaceMae("tiny")
    network = DistributedDataParallel(plain) if ranks > 1 else plain
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.05)
    images = torch.rand(batch // ranks, 3, 112, 112) * 2 - 1
    for step in range(-WARM, steps):
        if step == 0:
            dist.barrier()
            start = time.perf_counter()
        optimizer.zero_grad()
        (network(images) - plain.patchify(images)).pow(2).mean().backward()
        optimizer.step()
    dist.barrier()
    if rank == 0:
        print(f"{steps * (batch // ranks) * ranks / (time.perf_counter() - start):.3f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    ranks, batch, steps = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(rank_main, (ranks, batch, steps, os.path.join(folder, "meeting")), nprocs=ranks)
