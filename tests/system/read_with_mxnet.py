"""Reads a .rec by MXNet's own reader.

usage: read_with_mxnet.py FOLDER
"""
import sys

from mxnet import image, recordio

record = recordio.MXIndexedRecordIO(sys.argv[1] + "/train.idx", sys.argv[1] + "/train.rec", "r")
header, _ = recordio.unpack(record.read_idx(0))
assert header.flag == 2, header
labels = []
for key in range(1, int(header.label[0])):
    header, encoded = recordio.unpack(record.read_idx(key))
    labels.append(float(header.label))
    assert image.imdecode(encoded).shape == (112, 112, 3)
print(f"MXNet read {len(labels)} images of {len(set(labels))} identities")
