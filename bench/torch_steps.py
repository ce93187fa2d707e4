"""The steps of bench/steps.cpp in plain PyTorch eager, as one would write them. Prints images per second.

usage: torch_steps.py facemae|iresnet-tiny|mobilefacenet BATCH STEPS
"""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES = 1000


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

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
    def __init__(self, image=112, patch=16, width=192, depth=6, heads=3, dwidth=96, ddepth=2, dheads=3):
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
        shuffle = torch.rand(b, n).argsort(1)
        restore = shuffle.argsort(1)
        x = x.gather(1, shuffle[:, :keep, None].expand(-1, -1, d))
        x = self.norm(self.blocks(torch.cat([(self.cls + self.pos[:, :1]).expand(b, -1, -1), x], 1)))
        x = self.dembed(x)
        tokens = torch.cat([x[:, 1:], self.mask_token.expand(b, n - keep, -1)], 1)
        tokens = tokens.gather(1, restore[:, :, None].expand(-1, -1, tokens.shape[2]))
        x = torch.cat([x[:, :1], tokens], 1) + self.dpos
        return self.head(self.dnorm(self.dblocks(x)))[:, 1:]


def random_embedder(width=32):
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
        self.down = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        return self.body(x) + self.down(x)


def iresnet_tiny():
    widths = [16, 16, 32, 64, 128]
    blocks = [Basic(a, b, 2) for a, b in zip(widths, widths[1:])]
    return nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.PReLU(16), *blocks, nn.BatchNorm2d(128),
                         nn.Conv2d(128, 128, 7, groups=128, bias=False), nn.Flatten(), nn.Linear(128, 512), nn.BatchNorm1d(512))


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
    return nn.Sequential(
        conv_block(3, 128, 3, 2, 1), conv_block(128, 128, 3, 1, 1, 64), DepthWise(128, 128, 128, 2, False), *residual(128, 128, 4),
        DepthWise(128, 256, 256, 2, False), *residual(256, 256, 6), DepthWise(256, 256, 512, 2, False), *residual(256, 256, 2),
        conv_block(256, 512), conv_block(512, 512, 7, 1, 0, 512, act=False), nn.Flatten(), nn.Linear(512, 512, bias=False), nn.BatchNorm1d(512))


def main():
    model, batch, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    torch.manual_seed(1)
    images = torch.rand(batch, 3, 112, 112) * 2 - 1
    labels = torch.randint(CLASSES, (batch,))
    if model == "facemae":
        network, weight = FaceMae(), None
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.05)
    else:
        network = {"iresnet-tiny": iresnet_tiny, "mobilefacenet": mobilefacenet}[model]()
        weight = nn.Parameter(torch.randn(CLASSES, 512) * 0.01)
        optimizer = torch.optim.SGD([*network.parameters(), weight], lr=1e-3, momentum=0.9, weight_decay=5e-4)
    for step in range(-2, steps):
        if step == 0:
            start = time.perf_counter()
        optimizer.zero_grad()
        if model == "facemae":
            embedder = random_embedder()
            predicted = network(images)
            pixel = (predicted - network.patchify(images)).pow(2).mean()
            with torch.no_grad():
                u = F.normalize(embedder(images), dim=1)
            v = F.normalize(embedder(network.unpatchify(predicted).clamp(-1, 1)), dim=1)
            loss = pixel + (u @ u.T - v @ v.T).fill_diagonal_(0).pow(2).sum() / (batch * (batch - 1))
        else:
            cosines = F.normalize(network(images), dim=1) @ F.normalize(weight, dim=1).T
            loss = F.cross_entropy(64 * (cosines - 0.4 * F.one_hot(labels, CLASSES)), labels)
        loss.backward()
        optimizer.step()
    print(f"{steps * batch / (time.perf_counter() - start):.3f}")


main()
