# What the tests of the whole program share. Sourced by bash; needs FACEMAE (the program).
set -u
facemae=${FACEMAE:?the program to test}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/facemae-test.XXXXXX") || exit 1
failures=0
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 # some tests preload a library
export OMP_NUM_THREADS=1
. "$here/../../scripts/ranks.sh"

# ranks N ARGUMENT...: the program on N ranks; N = 1 runs it alone.
ranks() {
  local n=$1
  shift
  if [ "$n" = 1 ]; then "$facemae" "$@"; else on_ranks "$n" "$facemae" "$@"; fi
}
# one_differs N RANK WORDS ARGUMENT...: the program on N ranks; on RANK bash does WORDS before, which may `cd` or `set --`
# other arguments. (Open MPI 5.0.7's mpirun dies of several commands with ":" between them.)
one_differs() {
  local n=$1 rank=$2 words=$3
  shift 3
  on_ranks "$n" bash -c 'if [ "${OMPI_COMM_WORLD_RANK-$PMI_RANK}" = "$0" ]; then words=$1; else words=; fi
    shift && eval "$words" && exec "$@"' "$rank" "$words" "$facemae" "$@"
}
# with_defaults OPTION VALUE ... -- WORD...: sets `words` to the words, and before them those of the options that they do
# not give themselves: an option given twice is refused.
with_defaults() {
  local pairs=() i
  while [ "$1" != -- ]; do pairs+=("$1" "$2") && shift 2; done
  shift
  words=()
  for ((i = 0; i < ${#pairs[@]}; i += 2)); do
    case " $* " in *" ${pairs[i]} "*) ;; *) words+=("${pairs[@]:i:2}") ;; esac
  done
  words+=("$@")
}
# The smallest FaceMAE run that exercises everything; more options may follow.
tiny_run() { # tiny_run N RUN STEPS OPTION...
  local n=$1 run=$2 steps=$3 words
  shift 3
  with_defaults --store faces --run "$run" --steps "$steps" --batch 6 --model tiny --patch 28 --lr 1e-3 --embedder-size 16 \
    --embedder-width 4 --threads 1 --save-every 4 --log-every 1 --log-level warn -- "$@"
  ranks "$n" pretrain "${words[@]}" >>"$run.log" 2>&1
}
weights() { "$facemae" export --from "$1" --out "$1.safetensors" --log-level warn && sha256sum <"$1.safetensors"; }
root() { tail -1 "$1/checkpoints/HISTORY" | sed 's/.*root //'; } # over all weights and moments of the last commit
losses() { sed 's/.*"step":\([0-9]*\).*"loss":\([^,]*\),.*/\1 \2/' "$1/metrics.jsonl"; }
outcome() { sed 's/.*"code":\([0-9]*\).*/\1/' "$1/outcome.json"; }

# launcher JOB: the mpirun that a background tiny_run started; its_ranks JOB: the processes of the job.
launcher() { pgrep -P "$1"; }
its_ranks() { pgrep -P "$(launcher "$1")"; }

pass() { echo "passed: $1"; }
miss() { echo "FAILED: $1"; failures=$((failures + 1)); }
# check WHAT COMMAND...: the command succeeds.
check() {
  local what=$1
  shift
  if "$@"; then pass "$what"; else miss "$what"; fi
}
equal() { [ "$1" = "$2" ] || { echo "  \"$1\" differs from \"$2\""; false; }; }
# ends_with CODE WHAT TEXT COMMAND...: exits with CODE and says TEXT (a grep -E pattern).
ends_with() {
  local code=$1 what=$2 text=$3 got
  shift 3
  "$@" >said 2>&1
  got=$?
  if [ "$got" = "$code" ] && { [ -z "$text" ] || grep -qE -- "$text" said; }; then
    pass "$what"
  else
    miss "$what: exit $got instead of $code, or \"$text\" not said:"
    sed 's/^/    /' said | tail -5
  fi
}
# close_arrays A.npy B.npy: float32 of one shape, equal but for the rounding of other numbers of threads and batches.
close_arrays() {
  python3 - "$1" "$2" <<'python'
import array, sys
def read(path):
    data = open(path, "rb").read()
    start = 10 + int.from_bytes(data[8:10], "little")
    return data[:start], array.array("f", data[start:])
(a_head, a), (b_head, b) = map(read, sys.argv[1:])
sys.exit(a_head != b_head or not a or max(abs(x - y) for x, y in zip(a, b)) > 1e-5)
python
}
finish() {
  [ "$failures" = 0 ] || echo "$failures failure(s)"
  exit $((failures > 0))
}
