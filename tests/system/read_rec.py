"""Reads a .rec in InsightFace's layout as its trainer does, from the specification and nothing else, and checks it.

usage: read_rec.py FOLDER [IMAGES]     IMAGES: <identity>/<image> folders that must hold the same pictures
"""
import io
import struct
import sys
from pathlib import Path

from PIL import Image

MAGIC = 0xCED7230A


def read_record(file, offset):
    """The payload at an offset, put together from its parts, and where the next record begins."""
    payload, first = b"", True
    while True:
        file.seek(offset)
        magic, word = struct.unpack("<II", file.read(8))
        part, length = word >> 29, word & (2**29 - 1)
        assert magic == MAGIC, hex(magic)
        assert part in ((0, 1) if first else (2, 3)), (part, first)
        piece = file.read(length)
        assert len(piece) == length
        payload += piece if first else struct.pack("<I", MAGIC) + piece
        offset += 8 + (length + 3) // 4 * 4
        first = False
        if part in (0, 3):
            return payload, offset


def unpack(payload):
    flag, label, key, _ = struct.unpack("<IfQQ", payload[:24])
    labels = struct.unpack(f"<{flag}f", payload[24 : 24 + 4 * flag]) if flag else (label,)
    return labels, key, payload[24 + 4 * flag :]


folder = Path(sys.argv[1])
index = {}
for line in (folder / "train.idx").read_text().splitlines():
    key, offset = line.split("\t")
    index[int(key)] = int(offset)
with open(folder / "train.rec", "rb") as file:
    # From the front to the end: every record is listed, nothing lies between.
    offset, size = 0, (folder / "train.rec").stat().st_size
    for key in sorted(index, key=index.get):
        assert index[key] == offset, (key, index[key], offset)
        _, offset = read_record(file, offset)
    assert offset == size, (offset, size)

    header, _, rest = unpack(read_record(file, index[0])[0])
    images_end, end = int(header[0]), int(header[1])
    assert not rest and set(index) == set(range(end)), (header, len(index))
    label_of, pictures = {}, {}
    for key in range(1, images_end):
        labels, own_key, picture = unpack(read_record(file, index[key])[0])
        assert own_key == key
        label_of[key] = int(labels[0])
        pictures.setdefault(label_of[key], []).append(picture)
        image = Image.open(io.BytesIO(picture))
        image.load()
        width, height = image.size
    for number, key in enumerate(range(images_end, end)):
        (first, last), _, rest = unpack(read_record(file, index[key])[0])
        assert not rest
        members = [k for k in label_of if label_of[k] == number]
        assert members == list(range(int(first), int(last))), (number, members, first, last)

identities = end - images_end
assert (folder / "property").read_text().strip() == f"{identities},{width},{height}"
rows = [line.split("\t") for line in (folder / "train.lst").read_text().splitlines()]
assert [int(float(row[2])) for row in rows] == [label_of[key] for key in sorted(label_of)]
if len(sys.argv) > 2:
    for number, identity in enumerate(sorted(path for path in Path(sys.argv[2]).iterdir())):
        assert sorted(pictures[number]) == sorted(p.read_bytes() for p in identity.iterdir()), identity
print(f"{len(label_of)} images of {identities} identities read")
