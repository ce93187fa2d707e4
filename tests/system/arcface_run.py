"""A run of three "GPUs" in the files of arcface_torch, and what comes of it in three more steps.

usage: arcface_run.py write FOLDER RECORDED.json       needs torch; FOLDER packed is arcface_run.tar.xz
       arcface_run.py images FOLDER                    the training images, one a class, as PNG
       arcface_run.py compare RECORDED.json METRICS.jsonl WEIGHTS.safetensors CENTRES.safetensors

`write` is plain PyTorch: a backbone under arcface_torch's keys (that of `--network iresnet-tiny`, with BatchNorm frozen),
1,000 classes in three contiguous shards, ArcFace (1, .5, 0) with its straight-through gradient, SGD with momentum and
decay on everything, clipping of the backbone alone, a schedule that warms up and falls. The past of the run is drawn, not
trained: of values that are a bit each, so that the files pack well. The rest is computed.
"""
import array
import json
import math
import pathlib
import struct
import sys
import zlib

CLASSES, SIDE, GPUS, BATCH, DONE = 1000, 112, 3, 12, 7
RATE, WARMUP, TOTAL, MOMENTUM, DECAY, CLIP, SCALE, MARGIN = 0.02, 2, 20, 0.9, 5e-4, 5, 64, 0.5
# Whom `recognize --seed 0 --batch 12` shows in steps 8 to 10, of the store that `pack` makes of the images.
LABELS = [[12, 458, 881, 184, 616, 784, 930, 937, 294, 318, 853, 230],
          [953, 869, 219, 991, 75, 149, 24, 666, 547, 877, 329, 73],
          [45, 704, 842, 740, 426, 217, 732, 767, 931, 545, 925, 901]]


def start_of(label, channel, y):
    return (37 * label + 101 * channel + y * (label % 3 + 2)) % 256


def images(folder):
    lines = {(start, step): bytes((start + x * step) % 256 for x in range(SIDE)) for start in range(256) for step in range(1, 6)}
    for label in range(CLASSES):
        raw = b""
        for y in range(SIDE):
            line = bytearray(3 * SIDE)
            for channel in range(3):
                line[channel::3] = lines[start_of(label, channel, y), label % 5 + 1]
            raw += b"\0" + line
        png = b"\x89PNG\r\n\x1a\n"
        for kind, data in ((b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(raw, 1)), (b"IEND", b"")):
            png += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        person = pathlib.Path(folder) / f"{label:04}"
        person.mkdir(parents=True)
        (person / "1.png").write_bytes(png)


def write(folder, recorded):
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, inside, out):
            super().__init__()
            self.bn1 = nn.BatchNorm2d(inside)
            self.conv1 = nn.Conv2d(inside, out, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(out)
            self.prelu = nn.PReLU(out)
            self.conv2 = nn.Conv2d(out, out, 3, 2, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(out)
            self.downsample = nn.Sequential(nn.Conv2d(inside, out, 1, 2, bias=False), nn.BatchNorm2d(out))

        def forward(self, x):
            return self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x)))))) + self.downsample(x)

    class Backbone(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [16, 16, 32, 64, 128]
            self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(widths[0])
            self.prelu = nn.PReLU(widths[0])
            for i in range(4):
                setattr(self, f"layer{i + 1}", nn.Sequential(Block(widths[i], widths[i + 1])))
            self.bn2 = nn.BatchNorm2d(widths[-1])
            self.pool = nn.Conv2d(widths[-1], widths[-1], 7, groups=widths[-1], bias=False)
            self.fc = nn.Linear(widths[-1], 512)
            self.features = nn.BatchNorm1d(512)
            self.features.weight.requires_grad = False

        def forward(self, x):
            x = self.prelu(self.bn1(self.conv1(x)))
            for i in range(4):
                x = getattr(self, f"layer{i + 1}")(x)
            return self.features(self.fc(self.pool(self.bn2(x)).flatten(1)))

    class PolynomialLRWarmup(torch.optim.lr_scheduler.LRScheduler):
        """The names that arcface_torch's scheduler has in its state."""

        def __init__(self, optimizer):
            self.warmup_iters, self.total_iters, self.power = WARMUP, TOTAL, 1.0
            super().__init__(optimizer)

        def get_lr(self):
            k = self.last_epoch
            factor = 1 if k == 0 else k / WARMUP if k <= WARMUP else 1 - (k - WARMUP) / (TOTAL - WARMUP)
            return [base * factor for base in self.base_lrs]

    draw = torch.Generator().manual_seed(5)

    def bits(shape, size, middle=0.0):
        return middle + size * (torch.randint(0, 2, shape, generator=draw) * 2 - 1)

    torch.set_num_threads(1)
    backbone = Backbone()
    statistics = []  # of each rank's BatchNorm
    with torch.no_grad():
        for name, value in backbone.state_dict().items():
            if name.endswith("num_batches_tracked"):
                value.fill_(DONE)
            elif name.endswith("running_var") or (value.dim() == 1 and name.endswith(".weight") and "prelu" not in name and name != "features.weight"):
                value.copy_(bits(value.shape, 0.25, 1.0))
            elif value.dim() == 1 and name != "features.weight" and "prelu" not in name:
                value.copy_(bits(value.shape, 0.125))
            elif name == "fc.weight" or name == "pool.weight":
                value.copy_(bits(value.shape, 1 / 16))
            elif value.dim() == 4:
                value.copy_(bits(value.shape, 1 / math.sqrt(value[0].numel())))
        for rank in range(GPUS):
            statistics.append({name: bits(value.shape, 0.125, 1.0 if name.endswith("var") else 0.0)
                               for name, value in backbone.state_dict().items() if "running" in name})
    sizes = [CLASSES // GPUS + (rank < CLASSES % GPUS) for rank in range(GPUS)]
    shards = [nn.Parameter(bits((size, 512), 1 / 64)) for size in sizes]
    trained = [value for value in backbone.parameters() if value.requires_grad]
    momenta = {value: bits(value.shape, 2.0**-7) for value in trained}
    momenta |= {shard: bits(shard.shape, 2.0**-12) for shard in shards}

    def optimizer_of(own):
        optimizer = torch.optim.SGD([{"params": backbone.parameters()}, {"params": own}], lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
        schedule = PolynomialLRWarmup(optimizer)
        for _ in range(DONE):
            optimizer.step()  # without gradients
            schedule.step()
        for group in optimizer.param_groups:
            for value in group["params"]:
                if value in momenta:
                    optimizer.state[value]["momentum_buffer"] = momenta[value].clone()
        return optimizer, schedule

    out = pathlib.Path(folder)
    (out / "old").mkdir(parents=True)
    for rank in range(GPUS):
        backbone.load_state_dict(backbone.state_dict() | statistics[rank])
        optimizer, schedule = optimizer_of([shards[rank]])
        state = {"epoch": 1, "global_step": DONE, "state_dict_backbone": backbone.state_dict(),
                 "state_dict_softmax_fc": {"weight": shards[rank].detach()}, "state_optimizer": optimizer.state_dict(),
                 "state_lr_scheduler": schedule.state_dict()}
        torch.save(state, out / f"checkpoint_gpu_{rank}.pt")
        torch.save(shards[rank].detach(), out / "old" / f"rank_{rank}_softmax_weight.pt")
        torch.save(momenta[shards[rank]], out / "old" / f"rank_{rank}_softmax_weight_mom.pt")
    backbone.load_state_dict(backbone.state_dict() | statistics[0])
    torch.save(backbone.state_dict(), out / "old" / "backbone.pth")

    backbone.eval()  # BatchNorm is frozen
    optimizer, schedule = optimizer_of(shards)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    record = {"losses": [], "weights": {}}
    for labels in LABELS:
        x = torch.arange(SIDE)
        pixels = torch.stack([torch.stack([torch.stack([(start_of(label, channel, y) + x * (label % 5 + 1)) % 256 for y in range(SIDE)])
                                           for channel in range(3)]) for label in labels])
        embeddings = backbone((pixels.float() - 127.5) / 127.5)
        wanted = torch.tensor(labels)
        first, cosines = 0, []
        for shard in shards:  # as each rank has its own
            own = (nn.functional.normalize(embeddings) @ nn.functional.normalize(shard).T).clamp(-1, 1)
            for row in torch.where((wanted >= first) & (wanted < first + len(shard)))[0].tolist():
                at = own[row, wanted[row] - first].detach()
                moved = torch.zeros_like(own)
                moved[row, wanted[row] - first] = torch.cos(torch.arccos(at) + MARGIN) - at
                own = own + moved
            first += len(shard)
            cosines.append(own)
        loss = nn.functional.cross_entropy(SCALE * torch.cat(cosines, 1), wanted)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(trained, CLIP)
        optimizer.step()
        schedule.step()
        record["losses"].append(loss.item())
        print(f"loss {loss.item():.6f}, gradient norm {norm:.3f}")
    after = backbone.state_dict() | {"centres": torch.cat([shard.detach() for shard in shards])}
    for name, value in after.items():
        flat = value.detach().double().flatten()
        step = max(1, flat.numel() // 24)
        record["weights"][name] = {"values": flat[::step].tolist(), "step": step, "norm": flat.norm().item()}
    moved = {name: (after[name] - value).abs().max().item() for name, value in before.items() if name in dict(backbone.named_parameters())}
    print("least change of a trained tensor:", sorted((change, name) for name, change in moved.items() if name != "features.weight")[0])
    pathlib.Path(recorded).write_text(json.dumps(record))


def read_safetensors(path):
    raw = pathlib.Path(path).read_bytes()
    length, = struct.unpack("<Q", raw[:8])
    kinds = {"F32": "f", "I64": "q"}
    for name, entry in json.loads(raw[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            yield name, array.array(kinds[entry["dtype"]], raw[begin:end])


def compare(recorded, metrics, weights, centres):
    record = json.loads(pathlib.Path(recorded).read_text())
    found = dict(read_safetensors(weights))
    found["centres"] = dict(read_safetensors(centres))["weight"]
    losses = [json.loads(line)["loss"] for line in pathlib.Path(metrics).read_text().splitlines()]
    worst = 0.0

    def same(what, ours, theirs, scale):
        nonlocal worst
        worst = max(worst, abs(ours - theirs) / scale)
        if not abs(ours - theirs) <= 1e-5 * scale:
            sys.exit(f"{what}: {ours} here, {theirs} there")

    assert len(losses) == len(record["losses"]) and set(found) == set(record["weights"]), sorted(set(found) ^ set(record["weights"]))
    for step, (ours, theirs) in enumerate(zip(losses, record["losses"])):
        same(f"loss of step {DONE + step + 1}", ours, theirs, theirs)
    for name, expected in record["weights"].items():
        values = found[name]
        largest = max(1e-30, max(map(abs, expected["values"])))
        for ours, theirs in zip(values[::expected["step"]], expected["values"], strict=True):
            same(name, ours, theirs, largest)
        same("norm of " + name, math.sqrt(sum(value * value for value in values)), expected["norm"], max(1e-30, expected["norm"]))
    print(f"{len(losses)} losses and {len(found)} tensors agree to {worst:.1e}")


if __name__ == "__main__":
    {"write": write, "images": images, "compare": compare}[sys.argv[1]](*sys.argv[2:])
