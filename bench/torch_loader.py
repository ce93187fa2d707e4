"""A PyTorch DataLoader over a folder of the same images, decoded by Pillow, as bench/loader.cpp. Prints images per second.

usage: torch_loader.py FOLDER WORKERS IMAGES      FOLDER: JPEG files, any depth
"""
import pathlib
import sys
import time

import numpy as np
import torch
from PIL import Image


class Faces(torch.utils.data.Dataset):
    def __init__(self, folder):
        self.files = sorted(pathlib.Path(folder).rglob("*.jpg"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return torch.from_numpy(np.array(Image.open(self.files[i]).convert("RGB")))


folder, workers, images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(1)
faces = Faces(folder)
sampler = torch.utils.data.RandomSampler(faces, replacement=True, num_samples=images + 64 * 8)
batches = iter(torch.utils.data.DataLoader(faces, 64, sampler=sampler, num_workers=workers, prefetch_factor=2))
for _ in range(8):
    next(batches)
start, done = time.perf_counter(), 0
for batch in batches:
    done += len(batch)
print(f"{done / (time.perf_counter() - start):.1f}")
