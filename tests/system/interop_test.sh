#!/usr/bin/env bash
# h5py, safetensors, TensorBoard and numpy read what the program writes; the examples of the documents run.
if [ ! -e "$SOURCE/.venv/.complete" ]; then
  echo "SKIP: no .venv with h5py, safetensors and tensorboard (scripts/setup.sh --interop)"
  exit 77
fi
python=$SOURCE/.venv/bin/python
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
"$facemae" synth --out STORE --identities 6 --images-per-identity 4 $quiet 2>/dev/null || exit 1
awk '/^```python/ { on = 1; next } /^```/ { on = 0 } on' "$SOURCE/docs/FORMATS.md" >example.py
check "the document has an example" test -s example.py
ends_with 0 "and it reads a store" '\(112, 112\)' "$python" example.py

ranks 2 pretrain --store STORE --run mae --steps 4 --batch 8 --patch 16 --relation none --threads 1 --log-every 2 $quiet 2>/dev/null
"$facemae" export --from mae --out mae.safetensors $quiet
ranks 2 recognize --store STORE --run net --steps 2 --batch 8 --margin cosface --threads 1 $quiet 2>/dev/null
"$facemae" embed --from net --store STORE --out embeddings.npy $quiet
ends_with 0 "Python libraries read checkpoints, event files and embeddings" 'embeddings read' \
  "$python" "$here/read_with_python.py" mae mae.safetensors embeddings.npy 24
awk '/^```python/ { on = 1; next } /^```/ { on = 0 } on' "$SOURCE/docs/CHECKPOINT.md" >checkpoint.py
ln -s mae RUN
ends_with 0 "the example of docs/CHECKPOINT.md reads all weights of a checkpoint" \
  "$("$facemae" checkpoint show mae --tensors $quiet | grep -c '^  model\.') weights," "$python" checkpoint.py
finish
