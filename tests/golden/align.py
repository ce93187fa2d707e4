"""Numbers for tests/unit/data/image/align_test.cpp by another way: Umeyama's estimate with an SVD (IEEE PAMI 13(4), 1991)
and a warp by homogeneous matrices over whole arrays.

usage: align.py            needs numpy
"""
import numpy as np

TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
FACES = {
    "large, turned": [[314.84, 222.52], [400.27, 216.12], [371.58, 270.44], [312.27, 301.87], [398.8, 297.25]],
    "small": [[10.5, 9.0], [20.25, 12.5], [13.0, 18.75], [8.0, 21.0], [15.5, 24.25]],
    "upside down": [[80, 90], [40, 92], [60, 70], [75, 48], [44, 50]],
    "mirrored": [[73, 51], [38, 52], [56, 71], [71, 92], [41, 92]],
}


def umeyama(source, target):
    source, target = np.asarray(source, float), np.asarray(target, float)
    mean_s, mean_t = source.mean(0), target.mean(0)
    s, t = source - mean_s, target - mean_t
    u, d, vt = np.linalg.svd(t.T @ s / len(s))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = (d * sign).sum() / (s**2).sum() * len(s)
    matrix = np.eye(3)
    matrix[:2, :2] = scale * rotation
    matrix[:2, 2] = mean_t - matrix[:2, :2] @ mean_s
    return matrix


def picture(width, height):
    """Whole numbers only, so that C++ makes the same."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return (x * (3 + c) + y * (5 - c) + (x * y) // (7 + c)) % 256


def warp(image, matrix, side):
    back = np.linalg.inv(matrix)
    n = int(np.clip(np.ceil(np.sqrt(abs(np.linalg.det(back[:2, :2]))) - 1e-9), 1, 32))
    grid = (np.arange(side * n) + 0.5) / n - 0.5
    v, u = np.meshgrid(grid, grid, indexing="ij")
    x, y, _ = np.tensordot(back, np.stack([u, v, np.ones_like(u)]), 1)
    padded = np.pad(image.astype(float), ((1, 1), (1, 1), (0, 0)))
    height, width = image.shape[:2]
    inside = (x > -1) & (y > -1) & (x < width) & (y < height)
    x, y = np.where(inside, x, -1) + 1, np.where(inside, y, -1) + 1
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width + 1), np.minimum(top + 1, height + 1)
    p, q = (x - left)[..., None], (y - top)[..., None]
    fine = (padded[top, left] * (1 - p) + padded[top, right] * p) * (1 - q) + (
        padded[bottom, left] * (1 - p) + padded[bottom, right] * p) * q
    fine[~inside] = 0
    return fine.reshape(side, n, side, n, 3).mean((1, 3)), n


if __name__ == "__main__":
    for name, points in FACES.items():
        matrix = umeyama(points, TEMPLATE)
        print(f"{name}: a {matrix[0, 0]:.10f} b {matrix[1, 0]:.10f} dx {matrix[0, 2]:.8f} dy {matrix[1, 2]:.8f}")
        image = picture(*((520, 420) if name == "large, turned" else (130, 118)))
        face, n = warp(image, matrix, 112)
        samples = [(u, v) for v in (0, 17, 56, 93, 111) for u in (0, 31, 56, 80, 111)]
        print(f"  {n} samples a side, mean {face.mean():.6f}")
        print("  " + ", ".join(f"{value:.3f}" for u, v in samples for value in face[v, u]))
