#include "trainer/config/run_options.h"

#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

// Beyond these nothing is meant, and clocks, counters and thread pools overflow.
constexpr double kMostImagesOfABatch = 1 << 30;
constexpr double kMostThreads = 1024;
constexpr double kLongestSeconds = 1e9;  // thirty years
constexpr double kMostOfAPlan = 1e12;
constexpr double kLongestMinutes = 16'666'666, kLongestHours = 277'777;

void declare_run(Options& o, RunConfig& c) {
  o.group("Run")
      .require("store", c.store, "folder made by `facemae pack` or `facemae synth`")
      .unless("assume-identities")
      .free()  // its dataset digest is compared
      .require("run", c.run, "folder of the run; the same command resumes it")
      .free()
      .add("steps", c.steps, "optimizer steps of the whole run (or --epochs)")
      .at_least(1)
      .add("epochs", c.epochs, "passes over the store, also fractions (or --steps)")
      .above(0)
      .at_most(kMostEpochs)
      .require("batch", c.batch, "images per global batch, over all ranks")
      .between(1, kMostImagesOfABatch)
      .add("accumulate", c.accumulate, "micro-batches that a global batch is cut into")
      .at_least(1)
      .add("seed", c.seed, "seed for order, masks, flips and initial weights")
      .add("flip", c.flip, "mirror half of the images")
      .choice("decode", c.decode, {"rgb", "yuv420"},
              "format of decoded images; yuv420 leaves upsampling and colours to the device, which is faster")
      .add(
          "max-bad-fraction", c.max_bad_fraction,
          "fraction of the images read that may be damaged (each is replaced by another); three are always tolerated, more end the run (exit 65)")
      .between(0, 1)
      .free()
      .add("init", c.init, "initial weights: RUN, a checkpoint, or a file of safetensors or PyTorch")
      .free()
      .flag("fresh", c.fresh, "start anew although RUN has checkpoints (they stay, unused)")
      .free()
      .flag("allow-changes", c.allow_changes, "resume although settings that alter the result have changed")
      .free()
      .flag("dry-run", c.dry_run, "print parameters, memory, steps and bytes to read and write, then stop")
      .free();
}

void declare_data(Options& o, RunConfig& c) {
  o.group("Data")
      .choice("order", c.order.kind, order_kinds(), "order of images")
      .add(
          "order-lanes", c.order.lanes,
          "for `--order blocks`: streams read in parallel, each by one rank. 0 picks about 1024, to suit the micro-batch. At least as many as the most ranks this run will ever use")
      .at_most(kMostOfAnOrder)
      .add("order-block", c.order.block,
           "for `--order blocks`: images stored next to each other that are read together")
      .between(1, kMostOfAnOrder)
      .add("order-images-per-identity", c.order.images_per_identity,
           "for `--order balanced`: images per identity in a micro-batch, whose size it must divide")
      .between(1, kMostOfAnOrder)
      .choice("data-mode", c.data_mode, {"auto", "shared", "replica"},
              "place that nodes read images from. shared: all nodes read the store; "
              "replica: each node copies it to --local-dir while it trains and reads what has arrived; "
              "auto: replica when it fits on every node")
      .free()
      .add("local-dir", c.local_dir, "folder on a disk of each node, for copies of the shards")
      .free()
      .add(
          "max-quarantined", c.max_quarantined,
          "fraction of the images that may be in unreadable shards (each is replaced by another); more end the run (exit 65)")
      .at_least(0)
      .below(1)
      .free()
      .add("read-patience", c.read_patience,
           "seconds for which a failing read is repeated before its shard counts as unreadable")
      .above(0)
      .at_most(kLongestSeconds)
      .free();
}

void declare_checkpoints(Options& o, RunConfig& c) {
  o.group("Checkpoints and stopping")
      .add("save-every", c.save_every,
           "steps between checkpoints, which are written while training continues; 0: by time alone")
      .free()
      .add("save-minutes", c.save_minutes, "minutes between checkpoints")
      .above(0)
      .at_most(kLongestMinutes)
      .free()
      .add(
          "mtbf-hours", c.mtbf_hours,
          "mean time between failures of this job: also save at the interval that wastes least time (Young/Daly), computed from the measured cost of a save")
      .above(0)
      .at_most(kLongestHours)
      .free()
      .add(
          "keep", c.keep,
          "number of newest checkpoints to keep; one is removed only when two newer ones were read back and found right")
      .at_least(2, "one checkpoint may turn out bad")
      .free()
      .add("keep-every", c.keep_every, "also keep every checkpoint whose step is a multiple of N; 0: none")
      .free()
      .flag(
          "keep-best", c.keep_best,
          "also keep the checkpoint with the best mean accuracy on the sets of --eval, among those saved at an evaluated step")
      .free()
      .add("max-failed-saves", c.max_failed_saves, "failed saves in a row that end the run (exit 93)")
      .at_least(1)
      .free()
      .add(
          "max-idle-starts", c.max_idle_starts,
          "starts in a row that trained, committed nothing and failed by an error of their own, after which the run is refused (exit 93); 0: never")
      .at_least(0)
      .free()
      .add("stop-after", c.stop_after,
           "step after which to commit and exit 76, as on notice; the schedule stays")
      .free()
      .add("max-hours", c.max_hours, "hours after which to commit and exit 76")
      .above(0)
      .at_most(kLongestHours)
      .free()
      .add(
          "end-time", c.end_time,
          "time before which to commit and exit 76: 2026-01-31T12:00 or 12:00 (local time), seconds since 1970, or slurm for the end of the job (SLURM_JOB_END_TIME)")
      .free();
}

void declare_machine(Options& o, RunConfig& c) {
  o.group("Machine")
      .choice(
          "device", c.device, {"auto", "cpu", "cuda", "mixed"},
          "device to compute on. auto takes a GPU when there is one, cuda demands one. "
          "All ranks must have GPUs of one model, or all none: a host that lacks what the others have is named (exit 75). "
          "mixed: whatever each rank has")
      .free()
      .choice("backend", c.backend, {"auto", "mpi", "nccl"},
              "library for tensor collectives. NCCL needs a GPU per rank; "
              "with --device cuda nothing else is used unless mpi is given")
      .free()
      .choice("precision", c.precision, {"auto", "float32", "tf32", "bfloat16"},
              "number format in the forward pass; auto: bfloat16 on GPUs that have it, else float32")
      .flag(
          "exact", c.exact,
          "compute weights with the same bits on any number of ranks, also when it changes at a resume: on the CPU, in float32, with one thread per rank; slower")
      .add(
          "exact-slots", c.exact_slots,
          "for --exact: parts that a micro-batch is cut into and computed by; a power of two, at least as many as the most ranks this run will ever use")
      .choice(
          "gradient-dtype", c.gradient_dtype, {"float32", "bfloat16"},
          "number format in which ranks send each other gradients. bfloat16 halves what travels and rounds every gradient to "
          "8 bits; weights and moments stay float32")
      .before("float32")
      .add(
          "bucket-mib", c.bucket_mib,
          "MiB of gradients that are summed over the ranks in one piece while the backward pass goes on. Small pieces overlap "
          "better, large ones suffer less from the latency of many ranks. Unless given, 25 up to 128 ranks, then in "
          "proportion to the ranks, at most 200; a run keeps what its first start chose")
      .between(1, 1 << 14)
      .before("")
      .flag(
          "shard-optimizer", c.shard_optimizer,
          "each rank keeps the moments of its part of the weights alone, and updates that part (ZeRO stage 1): less memory with "
          "many ranks. Checkpoints are the same with and without, so it may change between starts")
      .free()
      .flag(
          "deterministic", c.deterministic,
          "on GPUs: only kernels that add up in a fixed order, so that the same command on the same number of ranks gives the same bits, also when "
          "it resumes; slower, and what has no such kernel ends the run. CPUs do so anyway")
      .add("threads", c.threads, "compute threads per rank; 0: the cores it may use / ranks on the host")
      .between(0, kMostThreads)
      .free()
      .add("workers", c.workers,
           "threads per rank that read and decode; 0: 1 on a CPU, beside a GPU the rank's cores less two")
      .between(0, kMostThreads)
      .free()
      .add(
          "block-cache-mib", c.block_cache_mib,
          "MiB per rank for blocks of images, which `--order blocks` reads in one piece each; 0: read every image on its own")
      .at_most(1 << 30)
      .free()
      .add(
          "peer-deadline", c.peer_deadline,
          "seconds that a single wait for other ranks or for images may take, and that a phase other than a step (start, evaluation, save) may go without progress, before the run gives up (exit 75)")
      .above(0)
      .at_most(kLongestSeconds)
      .free()
      .add(
          "hang-limit", c.hang_limit,
          "seconds without progress in a step after which ranks look for the one that keeps the others waiting (exit 75, RUN/hang); "
          "5 times the 99th percentile of the longest silence between collectives in recent steps if that is longer, at most --peer-deadline, which counts alone until a step after the first was measured; "
          "0: only --peer-deadline counts")
      .between(0, kLongestSeconds)
      .free()
      .add(
          "check-replicas", c.check_replicas,
          "steps between comparisons of what all ranks must have alike, which are also made before each save; "
          "a rank that differs is named (exit 75); 0: never")
      .free()
      .add("log-every", c.log_every, "steps between lines of metrics.jsonl")
      .at_least(1)
      .free()
      .add(
          "profile-steps", c.profile_steps,
          "steps A-B of which to write a trace per rank into RUN/profile, for chrome://tracing or ui.perfetto.dev: operators, and ranges for "
          "data, forward, couple, backward, reduce, optimizer and save; few steps, for traces are large")
      .free();
}

}  // namespace

void declare_common(Options& o, RunConfig& c) {
  declare_run(o, c);
  declare_data(o, c);
  declare_optimizer(o, c);
  declare_checkpoints(o, c);
  declare_machine(o, c);
}

void declare_plan(Options& o, RunConfig& c) {
  o.group("Planning for what is not there yet")
      .add("assume-identities", c.assume_identities,
           "for --dry-run, in place of --store: people of the store, whose images have 112 x 112 pixels")
      .between(2, kMostOfAPlan)
      .free()
      .add("assume-images", c.assume_images, "for --dry-run with --assume-identities: images of the store")
      .between(1, kMostOfAPlan)
      .free()
      .add(
          "assume-ranks", c.assume_ranks,
          "for --dry-run with --assume-identities: ranks that the run will have, each with a device as here. Unless given, 1")
      .between(1, 1 << 20)
      .free();
}

}  // namespace facemae
