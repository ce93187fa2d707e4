"""Recognition training in plain PyTorch, beside `facemae recognize` with the same settings: iresnet-tiny, CosFace, SGD, a
linear fall of the rate after a linear warm-up. Prints the loss of each step, and at last images a second.

FOLDER is what bench_export_images makes of a store: images by row, labels.txt, and order.txt when it is asked for.
"""
import argparse
import pathlib
import random
import time

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image


def conv(a, b, size=3, stride=1):
    return nn.Conv2d(a, b, size, stride, size // 2, bias=False)


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.bn1, self.conv1, self.bn2, self.prelu = nn.BatchNorm2d(a), conv(a, b), nn.BatchNorm2d(b), nn.PReLU(b)
        self.conv2, self.bn3 = conv(b, b, 3, stride), nn.BatchNorm2d(b)
        self.downsample = nn.Sequential(conv(a, b, 1, stride), nn.BatchNorm2d(b))

    def forward(self, x):
        return self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x)))))) + self.downsample(x)


class IResNetTiny(nn.Module):  # keys as insightface has them
    def __init__(self, widths=(16, 32, 64, 128)):
        super().__init__()
        self.conv1, self.bn1, self.prelu = conv(3, widths[0]), nn.BatchNorm2d(widths[0]), nn.PReLU(widths[0])
        before = widths[0]
        for i, width in enumerate(widths):
            setattr(self, f"layer{i + 1}", nn.Sequential(Block(before, width, 2)))
            before = width
        self.bn2, self.pool = nn.BatchNorm2d(before), nn.Conv2d(before, before, 7, groups=before, bias=False)
        self.fc, self.features = nn.Linear(before, 512), nn.BatchNorm1d(512)
        self.features.weight.requires_grad = False
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, 0, 0.1)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        for i in range(4):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.features(self.fc(self.pool(self.bn2(x)).flatten(1)))


def rate_at(step, given):
    at, warm = step / given.steps, given.warmup
    return given.lr * (at / warm if at < warm else (1 - at) / (1 - warm))


def batches(given, count):
    """Each step and its rows: of order.txt, or shuffled anew each epoch."""
    order = pathlib.Path(given.folder, "order.txt")
    if given.in_order:
        rows = [int(line) for line in order.read_text().split()]
    else:
        draw, rows = random.Random(given.seed), []
        while len(rows) < given.steps * given.batch:
            rows += draw.sample(range(count), count)
    for step in range(given.first, given.steps):
        yield step, rows[step * given.batch : (step + 1) * given.batch]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder")
    options.add_argument("--steps", type=int, default=1500)
    options.add_argument("--first", type=int, default=0, help="steps that are done already")
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--lr", type=float, default=0.05)
    options.add_argument("--warmup", type=float, default=0.05)
    options.add_argument("--margin", type=float, default=0.2)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--flip", action="store_true")
    options.add_argument("--in-order", action="store_true", help="the order of order.txt")
    options.add_argument("--init", help="weights of the network, by torch.save")
    options.add_argument("--centres", help="class centres, .npy")
    options.add_argument("--out", help="file for the network's weights")
    given = options.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    labels = torch.tensor([int(line) for line in pathlib.Path(given.folder, "labels.txt").read_text().split()])
    pictures = torch.from_numpy(
        numpy.stack([numpy.asarray(Image.open(pathlib.Path(given.folder, f"{row}.jpg")).convert("RGB")) for row in range(len(labels))])
    )
    network = IResNetTiny()
    if given.init:
        network.load_state_dict(torch.load(given.init, weights_only=True))
    centres = torch.from_numpy(numpy.load(given.centres)) if given.centres else torch.randn(int(labels.max()) + 1, 512) * 0.01
    centres = nn.Parameter(centres)
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD([*trained, centres], lr=0, momentum=0.9, weight_decay=5e-4)
    flips = torch.Generator().manual_seed(given.seed)
    start = time.process_time()
    for step, rows in batches(given, len(labels)):
        x = pictures[rows].permute(0, 3, 1, 2).float().sub(127.5).div(127.5)
        if given.flip:
            mirrored = torch.rand(len(rows), generator=flips) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        y = labels[rows]
        optimizer.param_groups[0]["lr"] = rate_at(step, given)
        optimizer.zero_grad()
        cosines = F.normalize(network(x), dim=1) @ F.normalize(centres, dim=1).T
        loss = F.cross_entropy(64 * (cosines - given.margin * F.one_hot(y, len(centres))), y)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 5)
        optimizer.step()
        print(f"{step + 1} {loss.item():.6f}", flush=True)
    print(f"images/s {(given.steps - given.first) * given.batch / (time.process_time() - start):.1f}")
    if given.out:
        torch.save(network.state_dict(), given.out)


main()
