"""Numbers for class_updates_test.cpp: PyTorch's own optimizers over 12 class rows, of which every step samples some.

sparse  one parameter a row, whose gradient is None unless the row was sampled: PyTorch then leaves it alone
dense   one parameter with all rows, whose gradient is 0 in those that were not sampled

usage: class_updates.py OUT.safetensors            needs torch
"""
import json
import struct
import sys

import torch

CLASSES, WIDTH, STEPS = 12, 8, 10
RULES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1, momentum=0.9),
    "sgd_decay": lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.05),
    "nesterov": lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, nesterov=True),
    "nesterov_decay": lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.05, nesterov=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1),
}


def train(rule, centres, gradients, sampled, rates, sparse):
    rows = [torch.nn.Parameter(row.clone()) for row in (centres if sparse else [centres])]
    optimizer = RULES[rule](rows)
    for gradient, chosen, rate in zip(gradients, sampled, rates):
        optimizer.param_groups[0]["lr"] = rate.item()
        for i, row in enumerate(rows):
            if sparse:
                row.grad = gradient[i].clone() if chosen[i] else None
            else:
                row.grad = gradient * chosen[:, None]
        optimizer.step()

    def kept(name):  # zeros for rows that were never sampled
        all_rows = [optimizer.state[row].get(name, torch.zeros_like(row)) for row in rows]
        return torch.stack(all_rows) if sparse else all_rows[0]

    found = {"centres": torch.stack([row.detach() for row in rows]) if sparse else rows[0].detach()}
    if rule != "adamw":
        return {**found, "first": kept("momentum_buffer")}
    found |= {"first": kept("exp_avg"), "second": kept("exp_avg_sq")}
    if sparse:
        found["updates"] = torch.tensor([int(optimizer.state[row].get("step", 0)) for row in rows], dtype=torch.int32)
    return found


def write(path, tensors):
    names = {torch.float32: "F32", torch.float64: "F64", torch.int32: "I32", torch.bool: "BOOL"}
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    inputs = {
        "rates": 0.1 * (1 - torch.arange(STEPS, dtype=torch.float64) / STEPS),
        "centres": torch.randn(CLASSES, WIDTH),
        "gradients": torch.randn(STEPS, CLASSES, WIDTH),
        "sampled": torch.rand(STEPS, CLASSES) < 0.4,
    }
    inputs["sampled"][:, -1] = False  # a class that is never sampled
    inputs["sampled"][:, 0] = True  # and one that always is
    tensors = dict(inputs)
    for rule in RULES:
        for mode in ("sparse", "dense"):
            found = train(rule, **inputs, sparse=mode == "sparse")
            tensors |= {f"{rule}.{mode}.{name}": value for name, value in found.items()}
    write(sys.argv[1], tensors)


main()
