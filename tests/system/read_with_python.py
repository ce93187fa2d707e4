"""Reads what the program wrote, with the libraries that its users have.

usage: read_with_python.py RUN EXPORTED.safetensors EMBEDDINGS.npy IMAGES
"""
import json
import sys
from pathlib import Path

import numpy
from safetensors import safe_open
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run, exported, embeddings, images = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

# Checkpoints: every shard opens; whole model tensors are those of the export.
model = load_file(exported)
shards = sorted((run / "checkpoints").glob("s*/r*.safetensors"))
newest = [shard for shard in shards if shard.parent == shards[-1].parent]
assert len(newest) == 2, newest  # two ranks wrote
found = {}
for shard in newest:
    with safe_open(shard, framework="numpy") as file:
        for name in file.keys():
            assert name not in found, name
            found[name] = file.get_tensor(name)
compared = 0
for name, value in model.items():
    if (whole := found.get("model." + name)) is not None:
        assert numpy.array_equal(whole, value), name
        compared += 1
assert compared == len(model), (compared, len(model))
with safe_open(exported, framework="numpy") as file:
    assert file.metadata()["patch"] == "16", file.metadata()

# TensorBoard: the scalars of metrics.jsonl, and pictures.
metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
events = EventAccumulator(str(run), size_guidance={"images": 0})
events.Reload()
loss = {event.step: event.value for event in events.Scalars("loss")}
assert loss.keys() == {line["step"] for line in metrics}, (loss, metrics)
assert all(abs(loss[line["step"]] - line["loss"]) <= 1e-6 * abs(line["loss"]) for line in metrics)
assert events.Tags()["images"] == ["samples"], events.Tags()
assert events.Images("samples")[0].encoded_image_string.startswith(b"\x89PNG")

# Embeddings.
rows = numpy.load(embeddings)
assert rows.shape == (images, 512) and rows.dtype == numpy.float32, (rows.shape, rows.dtype)
assert numpy.allclose(numpy.linalg.norm(rows, axis=1), 1, atol=1e-5)
print(f"{compared} tensors, {len(loss)} steps, {len(rows)} embeddings read")
