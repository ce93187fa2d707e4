"""The same images as a variable-length data set of HDF5, read at random by h5py and decoded by the same TurboJPEG, as
bench/loader.cpp. Prints images per second.

usage: h5py_loader.py FOLDER THREADS IMAGES [read]      FOLDER: JPEG files, any depth; read: does not decode
The data set is made beside FOLDER the first time.
"""
import ctypes
import ctypes.util
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

folder, threads, images = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
decoding = sys.argv[4:] != ["read"]
path = folder.with_suffix(".vlen.h5")
if not path.exists():
    files = sorted(folder.rglob("*.jpg"))
    with h5py.File(path, "w") as out:
        data = out.create_dataset("jpeg", (len(files),), h5py.vlen_dtype(np.uint8))
        for i, file in enumerate(files):
            data[i] = np.fromfile(file, np.uint8)

turbo = ctypes.CDLL(ctypes.util.find_library("turbojpeg") or "libturbojpeg.so.0")
turbo.tjInitDecompress.restype = ctypes.c_void_p
pointer, number = ctypes.c_void_p, ctypes.c_int
turbo.tjDecompress2.argtypes = [pointer, pointer, ctypes.c_ulong, pointer, number, number, number, number, number]
data = h5py.File(path)["jpeg"]
rows = np.random.default_rng(1).integers(0, len(data), images)


def batch(mine):
    handle, out = turbo.tjInitDecompress(), np.empty((64, 112, 112, 3), np.uint8)
    for at, row in enumerate(mine):
        jpeg = data[row]
        if decoding:
            turbo.tjDecompress2(handle, jpeg.ctypes.data, len(jpeg), out[at % 64].ctypes.data, 112, 0, 112, 0, 0)
    turbo.tjDestroy(ctypes.c_void_p(handle))


batch(rows[:256])
start = time.perf_counter()
with ThreadPoolExecutor(threads) as pool:
    list(pool.map(batch, np.array_split(rows, threads)))
print(f"{images / (time.perf_counter() - start):.1f}")
