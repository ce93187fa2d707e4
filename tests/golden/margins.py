"""Numbers for tests/golden/margins_test.cpp by another way: the margins as docs/METHOD.md defines them, in float64, with
gradients by PyTorch's autograd through angles. Writes numbers/margins.safetensors; at cosines of exactly +-1, where a
gradient may be infinite, it has NaN.

usage: margins.py [FILE]            needs torch
"""
import json
import math
import struct
import sys

import torch

torch.set_default_dtype(torch.float64)
PI = math.pi
NUMBERS = 2000


def angle(c):
    """arccos by half angles, from the nearer end, so that value and slope are exact also beside +-1."""
    near = 2 * torch.asin(torch.sqrt((1 - c).clamp_max(1) / 2))
    far = PI - 2 * torch.asin(torch.sqrt((1 + c).clamp_max(1) / 2))
    return torch.where(c >= 0, near, far)


def edges():
    """Both sides of where a formula changes, and the ends."""
    out = [1.0, -1.0, 0.0]
    for step in (1e-3, 1e-6, 1e-9, 1e-12, 2.0**-52, 2.0**-53):
        out += [1 - step, step - 1]
    for middle in (0.0, 0.999, -0.999, math.cos(PI - 0.5), math.cos(PI - 0.4), math.cos((PI - 0.4) / 0.9),
                   math.cos((PI - 0.1) / 1.35)):
        out += [middle + sign * step for step in (1e-3, 1e-6, 1e-9) for sign in (1, -1)]
    return out


def inputs():
    beside = torch.tensor(edges())
    i = torch.arange(NUMBERS)
    angles = torch.linspace(0, PI, NUMBERS - len(beside))
    cosines = torch.cat([beside, torch.cos(angles)])
    norms = 0.0005 * 1.0065**i  # .0005 to 212: beyond all clips
    norms = norms[i * 37 % NUMBERS]  # 37 and 2,000 share no factor: every norm once, in no order
    draws = (i * 61 % 801 - 400) / 100  # the test has this line, too
    return cosines, norms, draws


def arcface(c, m):
    theta = angle(c)
    return torch.where(theta < PI - m, torch.cos(theta + m), c - m * math.sin(m))


def combined(c, m1, m2, m3):
    whole = m1 * angle(c) + m2
    last = math.cos((PI - m2) / m1) if (PI - m2) / m1 < PI else -1
    return torch.where(whole < PI, torch.cos(whole), c - last - 1) - m3


def adaface(c, norms, mean, deviation, m, h):
    norms = norms.detach().clip(0.001, 100)
    q = torch.clip((norms - mean) / (deviation + 0.001) * h, -1, 1)
    theta = torch.clip(angle(c.clip(-0.999, 0.999)) - m * q, 0.001, PI - 0.001)
    return torch.cos(theta) - m - m * q


def magface(c, norms):
    m = 0.45 + 0.0035 * (norms.clip(10, 110) - 10)
    return torch.where(c > 0, torch.cos(angle(c) + m), c)


def elastic_arc(c, draws):
    m = 0.5 + 0.05 * draws
    theta = angle(c)
    return torch.where(theta < PI - m, torch.cos(theta + m), c - m * torch.sin(m))


def differentiated(formula, *values):
    """(value, gradients of the sum by each of `values`)."""
    leaves = [value.clone().requires_grad_() for value in values]
    result = formula(*leaves)
    return result.detach(), torch.autograd.grad(result.sum(), leaves)


def all_numbers():
    cosines, norms, draws = inputs()
    out = {"cosines": cosines, "norms": norms}

    def put(name, formula):
        value, (of_cosine,) = differentiated(formula, cosines)
        out[name + ".value"] = value
        out[name + ".of_cosine"] = torch.where(cosines.abs() == 1, math.nan, of_cosine)

    put("arcface", lambda c: arcface(c, 0.5))  # curricularface has the same own logit
    out["arcface.straight_value"] = torch.cos(angle(cosines) + 0.5)
    out["cosface.value"] = cosines - 0.4
    put("combined_0.9_0.4_0.15", lambda c: combined(c, 0.9, 0.4, 0.15))
    put("combined_1.35_0.1_0.05", lambda c: combined(c, 1.35, 0.1, 0.05))
    put("adaface", lambda c: adaface(c, norms, 24.5, 17.25, 0.4, 0.333))
    put("magface", lambda c: magface(c, norms))
    out["magface.of_norm"] = differentiated(lambda a: magface(cosines, a), norms)[1][0]
    some = norms[:200]
    out["magface.penalty"], (out["magface.penalty_of_norm"],) = differentiated(
        lambda a: 35 * (a.clip(10, 110) / 110**2 + 1 / a.clip(10, 110)), some)
    put("elastic-arc", lambda c: elastic_arc(c, draws))
    out["elastic-cos.value"] = cosines - (0.35 + 0.05 * draws)

    clipped = norms.clip(0.001, 100)
    mean = clipped.sum() / NUMBERS
    deviation = (((clipped - mean) ** 2).sum() / (NUMBERS - 1)).sqrt()
    out["adaface.next_state"] = torch.stack([0.01 * mean + 0.99 * 20, 0.01 * deviation + 0.99 * 100])
    out["curricularface.next_state"] = torch.stack([0.01 * cosines.mean() + 0.99 * 0.3, torch.tensor(0.0)])
    return out


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        values = struct.pack(f"<{tensor.numel()}d", *tensor.tolist())
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/numbers/margins.safetensors", all_numbers())
