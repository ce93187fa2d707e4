"""Numbers for tests/golden/ijb_test.cpp by another way: IJB's protocol as docs/METHOD.md defines it, in numpy, on faces
that this script and the test make by the same rule. Writes numbers/ijb.txt: variant, figure, value.

usage: ijb.py [FILE]            needs numpy
"""
import math
import sys

import numpy as np

TEMPLATES, FACES, WIDTH, PEOPLE = 60, 300, 24, 20


class Draws:
    """The test has this generator, too."""

    def __init__(self):
        self.state = 20260

    def below(self, bound):
        self.state = (self.state * 1103515245 + 12345) % 2**31
        return (self.state >> 16) % bound


def faces():
    """Per face: template, media, score in thousandths, embedding, embedding of the mirror image; all whole numbers."""
    draws = Draws()
    people = [[draws.below(41) - 20 for _ in range(WIDTH)] for _ in range(PEOPLE)]
    rows = []
    for i in range(FACES):
        template = i if i < TEMPLATES else draws.below(TEMPLATES - 3)  # the last three have one face each
        media, score = draws.below(4), draws.below(1000) + 1
        plain = [people[template % PEOPLE][k] + draws.below(61) - 30 for k in range(WIDTH)]
        mirrored = [value + draws.below(21) - 10 for value in plain]
        if i == TEMPLATES - 2:  # as the template before it, which is another person's
            score, plain, mirrored = rows[-1][2], rows[-1][3], rows[-1][4]
        if i == TEMPLATES - 1:
            plain = mirrored = [0] * WIDTH
        rows.append((template, media, score, plain, mirrored))
    return rows


def vectors(rows, norm, detector, flip):
    media = {}
    for template, number, score, plain, mirrored in rows:
        f = np.array(plain, np.float64) + (np.array(mirrored, np.float64) if flip else 0)
        if not norm and f.any():
            f = f / np.sqrt((f * f).sum())
        if detector:
            f = f * np.float64(np.float32(score / 1000))
        media.setdefault(template, {}).setdefault(number, []).append(f)
    out = np.zeros((TEMPLATES, WIDTH), np.float32)
    for template, groups in media.items():
        v = sum(np.mean(groups[number], axis=0) for number in sorted(groups))
        length = np.sqrt((v * v).sum())
        if length > 0:
            out[template] = (v / length).astype(np.float32)
    return out


def curve(scores, same):
    """scikit-learn's roc_curve: _binary_clf_curve, drop_intermediate, the point of no accepts."""
    order = np.argsort(scores, kind="mergesort")[::-1]
    scores, same = scores[order], same[order]
    ends = np.r_[np.where(np.diff(scores))[0], same.size - 1]
    tps = np.cumsum(same)[ends].astype(np.float64)
    fps = 1 + ends - tps
    if len(fps) > 2:
        kept = np.where(np.r_[True, np.logical_or(np.diff(fps, 2), np.diff(tps, 2)), True])[0]
        fps, tps = fps[kept], tps[kept]
    return np.r_[0, fps] / fps[-1], np.r_[0, tps] / tps[-1]


def verification(v, put):
    first, second = np.triu_indices(TEMPLATES, 1)
    scores = (v[first].astype(np.float64) * v[second].astype(np.float64)).sum(1).astype(np.float32)
    same = (first % PEOPLE == second % PEOPLE).astype(int)
    put("pairs", len(same))
    put("same", int(same.sum()))
    put("scores", len(np.unique(scores)))
    impostors = len(same) - same.sum()
    fpr, tpr = curve(scores, same)
    fpr, tpr = np.flipud(fpr), np.flipud(tpr)  # as arcface_torch does
    for far in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        if 1 / impostors > far:
            continue
        best = 0
        for threshold in np.unique(scores):
            accepted = scores >= threshold
            if (accepted & (same == 0)).sum() / impostors <= far:
                best = max(best, int((accepted & (same == 1)).sum()))
        put(f"tar {far:g}", best / int(same.sum()))
        at = min(zip(abs(fpr - far), range(len(fpr))))[1]
        put(f"nearest_tar {far:g}", float(tpr[at]))
        put(f"nearest_far {far:g}", float(fpr[at]))


def search(v, put):
    """Galleries: the first template of each person. Probes: the others."""
    gallery, probes = v[:PEOPLE].astype(np.float64), v[PEOPLE:].astype(np.float64)
    scores = np.array([[(p * g).sum() for g in gallery] for p in probes]).astype(np.float32)
    mates = np.arange(PEOPLE, TEMPLATES) % PEOPLE
    rows = np.arange(len(mates))
    positive = scores[rows, mates].copy()
    scores[rows, mates] = -2
    for rank in (1, 5, 10):
        put(f"rank {rank}", float(((scores >= positive[:, None]).sum(1) < rank).sum() / len(mates)))
    negative = np.sort(scores.flatten())[::-1]
    for fpir in (0.01, 0.1):
        threshold = negative[math.ceil(len(mates) * fpir) - 1]
        put(f"threshold {fpir:g}", float(threshold))
        put(f"tpir {fpir:g}", float((positive > threshold).sum() / len(mates)))


def main(path):
    lines = []
    rows = faces()
    for norm in (1, 0):
        for detector in (1, 0):
            for flip in (1, 0):
                variant = f"N{norm}D{detector}F{flip}"
                put = lambda name, value: lines.append(f"{variant} {name} {value!r}\n")
                v = vectors(rows, norm, detector, flip)
                put("templates", TEMPLATES)
                verification(v, put)
                search(v, put)
    with open(path, "w") as file:
        file.writelines(lines)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/numbers/ijb.txt")
