"""Numbers for optimizers_test.cpp: torch.optim.SGD and torch.optim.AdamW in float64, ten steps of two parameters, one of
which decays. Start, gradients and rates are written out, so that C++ needs no rule for them.

usage: optimizers.py numbers/optimizers.safetensors            needs torch
"""
import json
import struct
import sys

import torch

STEPS, VALUES = 10, 24
KINDS = {
    "sgd": (torch.optim.SGD, dict(momentum=0.9), 5e-4),
    "sgd-plain": (torch.optim.SGD, dict(momentum=0.0), 0.1),
    "sgd-nesterov": (torch.optim.SGD, dict(momentum=0.9, nesterov=True), 5e-4),
    "sgd-nesterov-decay": (torch.optim.SGD, dict(momentum=0.8, nesterov=True), 0.3),
    "adamw": (torch.optim.AdamW, dict(betas=(0.9, 0.95), eps=1e-8), 0.05),
    "adamw-decay": (torch.optim.AdamW, dict(betas=(0.9, 0.999), eps=1e-8), 0.3),
}


def steps_of(make, settings, decay, start, gradients, rates):
    decays, spared = (torch.nn.Parameter(values.clone()) for values in start)
    groups = [{"params": [decays], "weight_decay": decay}, {"params": [spared], "weight_decay": 0.0}]
    optimizer = make(groups, lr=1.0, **settings)
    after = []
    for gradient, rate in zip(gradients, rates):
        for group in optimizer.param_groups:
            group["lr"] = rate.item()
        decays.grad, spared.grad = gradient[0].clone(), gradient[1].clone()
        optimizer.step()
        after.append(torch.stack([decays.detach().clone(), spared.detach().clone()]))
    return torch.stack(after)


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        values = tensor.contiguous().numpy().astype("<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    draw = torch.Generator().manual_seed(7)
    # Float32 holds start and gradients exactly.
    start = torch.randn(2, VALUES, generator=draw).double() * 0.5
    gradients = torch.randn(STEPS, 2, VALUES, generator=draw).double() * 0.1
    rates = torch.tensor([0.0, 0.01, 0.02, 0.03, 0.04, 0.04, 0.03, 0.02, 0.01, 0.005], dtype=torch.float64)
    tensors = {"start": start, "gradients": gradients, "rates": rates}
    for name, (make, settings, decay) in KINDS.items():
        tensors["after." + name] = steps_of(make, settings, decay, start, gradients, rates)
    write(sys.argv[1], tensors)
