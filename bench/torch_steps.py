"""The steps of bench/steps.cpp in plain PyTorch, as one would write them. Prints images per second.

usage: torch_steps.py MODEL BATCH STEPS [name=value...]
  MODEL   facemae (tiny), facemae-base, facemae-huge ..., iresnet-tiny, iresnet18, iresnet50, iresnet100, mobilefacenet,
          vit-t
  device=cpu|cuda  precision=float32|tf32|bfloat16  classes=1000  patch=16  embedder-width=32  relation=cosine|none, as bench_steps
  layout=contiguous|channels-last (of recognition)  compile=no|yes (by torch.compile)
"""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

DEFAULTS = {"device": "cpu", "precision": "float32", "classes": "1000", "patch": "16", "embedder-width": "32", "relation": "cosine", "layout": "contiguous", "compile": "no"}
# width, depth, heads; of the decoder, too
SIZES = {"tiny": (192, 6, 3, 96, 2, 3), "small": (384, 8, 6, 192, 4, 6), "base": (768, 12, 12, 512, 8, 16),
         "large": (1024, 24, 16, 512, 8, 16), "huge": (1280, 32, 16, 512, 8, 16)}


class Attention(nn.Module):
    def __init__(self, width, heads, bias=True):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width, bias=bias), nn.Linear(width, width)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(width, 1e-6), Attention(width, heads), nn.LayerNorm(width, 1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class FaceMae(nn.Module):
    def __init__(self, size, image=112, patch=16):
        width, depth, heads, dwidth, ddepth, dheads = SIZES[size]
        super().__init__()
        self.patch, self.grid = patch, image // patch
        n = self.grid**2
        self.embed = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.mask_token = nn.Parameter(torch.randn(1, 1, dwidth) * 0.02)
        self.register_buffer("pos", torch.randn(1, n + 1, width) * 0.02)
        self.register_buffer("dpos", torch.randn(1, n + 1, dwidth) * 0.02)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.norm, self.dembed = nn.LayerNorm(width, 1e-6), nn.Linear(width, dwidth)
        self.dblocks = nn.Sequential(*[Block(dwidth, dheads) for _ in range(ddepth)])
        self.dnorm, self.head = nn.LayerNorm(dwidth, 1e-6), nn.Linear(dwidth, patch * patch * 3)

    def patchify(self, x):
        b, p, g = x.shape[0], self.patch, self.grid
        return x.reshape(b, 3, g, p, g, p).permute(0, 2, 4, 3, 5, 1).reshape(b, g * g, p * p * 3)

    def unpatchify(self, x):
        b, p, g = x.shape[0], self.patch, self.grid
        return x.reshape(b, g, g, p, p, 3).permute(0, 5, 1, 3, 2, 4).reshape(b, 3, g * p, g * p)

    def forward(self, images, ratio=0.75):
        x = self.embed(images).flatten(2).transpose(1, 2) + self.pos[:, 1:]
        b, n, d = x.shape
        keep = int(n * (1 - ratio))
        shuffle = torch.rand(b, n, device=x.device).argsort(1)
        restore = shuffle.argsort(1)
        x = x.gather(1, shuffle[:, :keep, None].expand(-1, -1, d))
        x = self.norm(self.blocks(torch.cat([(self.cls + self.pos[:, :1]).expand(b, -1, -1), x], 1)))
        x = self.dembed(x)
        tokens = torch.cat([x[:, 1:], self.mask_token.expand(b, n - keep, -1)], 1)
        tokens = tokens.gather(1, restore[:, :, None].expand(-1, -1, tokens.shape[2]))
        x = torch.cat([x[:, :1], tokens], 1) + self.dpos
        return self.head(self.dnorm(self.dblocks(x)))[:, 1:]


def random_embedder(width):
    layers, channels = [nn.AvgPool2d(2)], 3
    for _ in range(3):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.InstanceNorm2d(width, affine=True), nn.ReLU(), nn.AvgPool2d(2)]
        channels = width
    network = nn.Sequential(*layers, nn.Flatten())
    return network.requires_grad_(False)


class Basic(nn.Module):  # the block of insightface's iresnet
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm2d(cin), nn.Conv2d(cin, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout), nn.PReLU(cout),
                                  nn.Conv2d(cout, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout))
        self.down = nn.Identity() if stride == 1 else nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        return self.body(x) + self.down(x)


def iresnet(blocks, widths=(64, 128, 256, 512), pool=False):
    layers = [nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.PReLU(widths[0])]
    before = widths[0]
    for count, width in zip(blocks, widths):
        layers += [Basic(before if i == 0 else width, width, 2 if i == 0 else 1) for i in range(count)]
        before = width
    layers += [nn.BatchNorm2d(before)] + ([nn.Conv2d(before, before, 7, groups=before, bias=False)] if pool else [])
    return recogniser(nn.Sequential(*layers), [nn.Linear(before * (1 if pool else 49), 512), nn.BatchNorm1d(512)])


def conv_block(cin, cout, k=1, s=1, p=0, groups=1, act=True):
    layers = [nn.Conv2d(cin, cout, k, s, p, groups=groups, bias=False), nn.BatchNorm2d(cout)]
    return nn.Sequential(*layers, nn.PReLU(cout)) if act else nn.Sequential(*layers)


class DepthWise(nn.Module):
    def __init__(self, cin, cout, groups, stride, residual):
        super().__init__()
        self.residual = residual
        self.body = nn.Sequential(conv_block(cin, groups), conv_block(groups, groups, 3, stride, 1, groups), conv_block(groups, cout, act=False))

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


def mobilefacenet():
    residual = lambda c, g, n: [DepthWise(c, c, g, 1, True) for _ in range(n)]
    body = nn.Sequential(
        conv_block(3, 128, 3, 2, 1), conv_block(128, 128, 3, 1, 1, 64), DepthWise(128, 128, 128, 2, False), *residual(128, 128, 4),
        DepthWise(128, 256, 256, 2, False), *residual(256, 256, 6), DepthWise(256, 256, 512, 2, False), *residual(256, 256, 2),
    )
    head = [conv_block(256, 512), conv_block(512, 512, 7, 1, 0, 512, act=False), nn.Flatten(), nn.Linear(512, 512, bias=False), nn.BatchNorm1d(512)]
    return nn.Sequential(body, FullPrecision(*head))  # upstream's head is out of autocast as a whole


class FullPrecision(nn.Module):  # the last layers stay out of autocast, as upstream
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            return self.layers(x.float())


class FaceBlock(nn.Module):  # of arcface_torch's ViT
    def __init__(self, width, heads, drop):
        super().__init__()
        self.drop, self.norm1, self.norm2 = drop, nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, heads, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU6(), nn.Linear(4 * width, width))

    def kept(self, path):
        if self.drop == 0:
            return path
        return path * torch.empty(path.shape[0], 1, 1, device=path.device).bernoulli_(1 - self.drop).div_(1 - self.drop)

    def forward(self, x):
        x = x + self.kept(self.attn(self.norm1(x)))
        return x + self.kept(self.mlp(self.norm2(x)))


class FaceVit(nn.Module):
    def __init__(self, width, depth, heads=8, drop=0.1, hidden=0.1):
        super().__init__()
        self.hidden, self.embed = hidden, nn.Conv2d(3, width, 9, 9)
        self.pos, self.token = nn.Parameter(torch.randn(1, 144, width) * 0.02), nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.blocks = nn.Sequential(*[FaceBlock(width, heads, drop * i / (depth - 1)) for i in range(depth)], nn.LayerNorm(width))

    def forward(self, images):
        x = self.embed(images).flatten(2).transpose(1, 2) + self.pos
        b, n, d = x.shape
        keep = int(n * (1 - self.hidden))
        shuffle = torch.rand(b, n, device=x.device).argsort(1)
        restore = shuffle.argsort(1)
        x = self.blocks(x.gather(1, shuffle[:, :keep, None].expand(-1, -1, d)))
        return torch.cat([x, self.token.expand(b, n - keep, -1)], 1).gather(1, restore[:, :, None].expand(-1, -1, d))


def face_vit(width, depth):
    return recogniser(FaceVit(width, depth), [nn.Linear(144 * width, width, bias=False), nn.BatchNorm1d(width, 2e-5),
                                              nn.Linear(width, 512, bias=False), nn.BatchNorm1d(512, 2e-5)])


def recogniser(body, head):
    return nn.Sequential(body, FullPrecision(nn.Flatten(), *head))


NETWORKS = {"iresnet-tiny": lambda: iresnet([1, 1, 1, 1], (16, 32, 64, 128), pool=True), "mobilefacenet": mobilefacenet,
            "iresnet18": lambda: iresnet([2, 2, 2, 2]), "iresnet50": lambda: iresnet([3, 4, 14, 3]),
            "iresnet100": lambda: iresnet([3, 13, 30, 3]), "vit-t": lambda: face_vit(256, 12)}


def main():
    model, batch, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    option = {**DEFAULTS, **dict(word.split("=", 1) for word in sys.argv[4:])}
    assert set(option) == set(DEFAULTS), f"unknown: {set(option) - set(DEFAULTS)}"
    device, classes, width = torch.device(option["device"]), int(option["classes"]), int(option["embedder-width"])
    torch.set_num_threads(1)
    torch.manual_seed(1)
    if option["precision"] == "tf32":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
    else:
        torch.backends.cudnn.allow_tf32 = False
    images = (torch.rand(batch, 3, 112, 112) * 2 - 1).to(device)
    labels = torch.randint(classes, (batch,)).to(device)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=option["precision"] == "bfloat16")
    if model.startswith("facemae"):
        network, weight = FaceMae(model[len("facemae-"):] or "tiny", patch=int(option["patch"])).to(device), None
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.05, fused=device.type == "cuda" or None)
    else:
        layout = torch.channels_last if option["layout"] == "channels-last" else torch.contiguous_format
        network, images = NETWORKS[model]().to(device, memory_format=layout), images.to(memory_format=layout)
        weight = nn.Parameter((torch.randn(classes, 512) * 0.01).to(device))
        optimizer = torch.optim.SGD([*network.parameters(), weight], lr=1e-3, momentum=0.9, weight_decay=5e-4)

    def relation(pictures, predicted, embedder):
        with torch.no_grad():
            u = F.normalize(embedder(pictures).float(), dim=1)
        v = F.normalize(embedder(predicted).float(), dim=1)
        return (u @ u.T - v @ v.T).fill_diagonal_(0).pow(2).sum() / (batch * (batch - 1))

    def loss_of(embedder):
        if embedder is None:
            with autocast:
                embeddings = network(images)
            cosines = F.normalize(embeddings.float(), dim=1) @ F.normalize(weight, dim=1).T
            return F.cross_entropy(64 * (cosines - 0.4 * F.one_hot(labels, classes)), labels)
        with autocast:
            predicted = network(images)
        predicted = predicted.float()
        pixel = (predicted - network.patchify(images)).pow(2).mean()
        return pixel if option["relation"] == "none" else pixel + relation(images, network.unpatchify(predicted).clamp(-1, 1), embedder)

    # A network drawn anew each step would be compiled anew: its weights are drawn into the one that is compiled.
    drawn = random_embedder(width).to(device) if weight is None else None
    compiled = torch.compile(loss_of) if option["compile"] == "yes" else loss_of

    warm = 5 if device.type == "cuda" else 2
    for step in range(-warm, steps):
        if step == 0:
            start = now(device)
        optimizer.zero_grad()
        if drawn is not None and option["relation"] != "none":
            for layer in drawn:
                if hasattr(layer, "reset_parameters"):
                    layer.reset_parameters()
        compiled(drawn).backward()
        optimizer.step()
    print(f"{steps * batch / (now(device) - start):.3f}")


def now(device):  # on a CPU the processor's seconds, which other load disturbs less
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
