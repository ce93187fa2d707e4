// The options of training commands, with the help that teaches them.
#include "core/log.h"
#include "model/facemae/relation.h"
#include "model/recognition/recognition.h"
#include "trainer/config/run_config.h"

namespace facemae {
namespace {

void declare_common(Options& o, RunConfig& c) {
  o.group("Run")
      .require("store", c.store, "folder made by `facemae pack` or `facemae synth`")
      .require("run", c.run, "folder of the run; the same command again resumes it")
      .add("steps", c.steps, "optimizer steps of the whole run (or --epochs)")
      .add("epochs", c.epochs, "passes over the store, also fractions (or --steps)")
      .require("batch", c.batch, "images of a global batch, over all ranks")
      .add("accumulate", c.accumulate, "micro-batches that a global batch is cut into")
      .add("seed", c.seed, "of order, masks, flips and initial weights")
      .add("flip", c.flip, "mirror half of the images")
      .choice("decode", c.decode, {"rgb", "yuv420"},
              "yuv420: the decoder leaves upsampling and colours to the device, which makes it faster")
      .add("max-bad-fraction", c.max_bad_fraction,
           "of the images read that may be damaged; others stand in for them. A few are borne in any case; "
           "more end the run (exit 65)")
      .add("init", c.init, "initial weights: RUN, a checkpoint, or a safetensors file")
      .flag("fresh", c.fresh, "start anew although RUN has checkpoints (they stay, unused)")
      .flag("allow-changes", c.allow_changes, "resume although settings that alter the result have changed")
      .flag("dry-run", c.dry_run, "print parameters, memory, steps and bytes to read and write, then stop");
  o.group("Data")
      .choice("order", c.order.kind, {"auto", "uniform", "blocks", "balanced"},
              "of images. uniform: a shuffle of all, each read on its own; "
              "blocks: a shuffle of large reads, for large stores on shared disks; "
              "balanced: images of an identity together, identities equally often; "
              "auto: blocks from 16 million images on, else uniform")
      .add("order-lanes", c.order.lanes,
           "of blocks: streams that are read side by side, each by one rank; "
           "0: about 1024, suited to the micro-batch. Not less than the ranks that the run will ever have")
      .add("order-block", c.order.block, "of blocks: images that lie and are read together")
      .add("order-images-per-identity", c.order.images_per_identity, "of balanced; divides a micro-batch")
      .choice("data-mode", c.data_mode, {"auto", "shared", "replica"},
              "shared: all nodes read the store; "
              "replica: each copies it to --local-dir while it trains and reads what has landed; "
              "auto: replica when it fits on every node")
      .add("local-dir", c.local_dir, "folder on a disk of each node, for copies of the shards")
      .add("max-quarantined", c.max_quarantined,
           "of the images that may be in shards that cannot be read any more; others stand in for them. "
           "More end the run (exit 65)")
      .add("read-patience", c.read_patience,
           "seconds for which a failing read is tried again before its shard counts as unreadable");
  o.group("Optimizer")
      .choice("optimizer", c.optimizer.kind, {"adamw", "sgd"}, "sgd has momentum")
      .add("lr", c.lr, "peak learning rate at this batch (or --base-lr)")
      .add("base-lr", c.base_lr,
           "peak learning rate per 256 images of global batch [" + fmt::format("{}", c.default_base_lr) + "]")
      .add("warmup", c.warmup, "fraction of the run in which the rate climbs from zero")
      .choice("schedule", c.schedule, schedule_names(), "of the learning rate, a function of images seen")
      .add("weight-decay", c.optimizer.weight_decay, "decoupled for adamw")
      .add("momentum", c.optimizer.momentum, "of sgd")
      .add("beta1", c.optimizer.beta1, "of adamw")
      .add("beta2", c.optimizer.beta2, "of adamw")
      .add("clip", c.clip, "largest gradient norm, 0 for no limit")
      .add("max-skips", c.max_skips,
           "steps in a row that may be skipped for a non-finite gradient; "
           "more, or a skipped last step, end in 93");
  o.group("Checkpoints and stopping")
      .add("save-every", c.save_every,
           "steps between checkpoints, 0: by time alone. They are written while training goes on")
      .add("save-minutes", c.save_minutes, "minutes between checkpoints")
      .add(
          "mtbf-hours", c.mtbf_hours,
          "mean time between failures of the job: checkpoints also come at the interval that loses least time in all (Young, Daly), from what they are measured to cost")
      .add("keep", c.keep,
           "last checkpoints to keep, at least 2. "
           "One goes only when two newer ones were read back and found right")
      .add("keep-every", c.keep_every, "also keep those whose step this divides, 0: none")
      .flag(
          "keep-best", c.keep_best,
          "also keep the one with the best mean accuracy on the sets of --eval, of those saved at a step that was evaluated")
      .add("max-failed-saves", c.max_failed_saves, "failed saves in a row that end the run (exit 93)")
      .add(
          "max-idle-starts", c.max_idle_starts,
          "starts in a row that trained, committed nothing and failed by an error of their own, after which the run is refused (exit 93); "
          "0: never")
      .add("stop-after", c.stop_after, "commit after this step and exit 76, as on notice; the schedule stays")
      .add("max-hours", c.max_hours, "commit and exit 76 after this time")
      .add(
          "end-time", c.end_time,
          "commit and exit 76 in time before this: 2026-01-31T12:00 or 12:00 (local time), seconds since 1970, or slurm for the end of the job (SLURM_JOB_END_TIME)");
  o.group("Machine")
      .choice(
          "device", c.device, {"auto", "cpu", "cuda", "mixed"},
          "auto takes a GPU when there is one, cuda demands one. "
          "All ranks must have GPUs of one model, or all none: a host that lacks what the others have is named (exit 75). "
          "mixed: whatever each rank has")
      .choice("backend", c.backend, {"auto", "mpi", "nccl"},
              "of tensor collectives. NCCL needs a GPU for each rank; "
              "with --device cuda nothing else is taken unless mpi is asked for")
      .choice("precision", c.precision, {"auto", "float32", "tf32", "bfloat16"},
              "of the forward pass; auto: bfloat16 on GPUs that have it, else float32")
      .flag(
          "exact", c.exact,
          "weights with the same bits on any number of ranks, also when it changes at a resume: the CPU, float32, one thread a rank; "
          "slower")
      .add("exact-slots", c.exact_slots,
           "of --exact: parts that a micro-batch is cut into and computed by; "
           "a power of two, not less than the ranks that the run will ever have")
      .add("threads", c.threads, "compute threads of a rank; 0: the cores it may use / ranks on the host")
      .add("workers", c.workers,
           "threads of a rank that read and decode; 0: 1 on a CPU, beside a GPU the rank's cores less two")
      .add("block-cache-mib", c.block_cache_mib,
           "MiB of a rank for blocks of images, which the order of blocks reads in one piece each; "
           "0 reads every image on its own")
      .add(
          "peer-deadline", c.peer_deadline,
          "seconds that a single wait for other ranks or for images may take, and that a phase other than a step (start, evaluation, save) may go without progress, before the run gives up (exit 75)")
      .add(
          "hang-limit", c.hang_limit,
          "seconds without progress in a step after which ranks look for the one that keeps the others waiting (exit 75, RUN/hang); "
          "5 times the 99th percentile of recent steps if that is longer, at most --peer-deadline, which counts alone until a step after the first was measured; "
          "0: only --peer-deadline counts")
      .add(
          "check-replicas", c.check_replicas,
          "steps between comparisons of what all ranks must have alike, which are also made before each save; "
          "a rank that differs is named (exit 75); 0: never")
      .add("log-every", c.log_every, "steps between lines of metrics.jsonl");
}

}  // namespace

void declare(Options& o, PretrainConfig& c) {
  declare_common(o, c.common);
  o.group("FaceMAE")
      .choice("model", c.model, {"tiny", "small", "base", "large", "huge"}, "size of encoder and decoder")
      .add("patch", c.patch, "side of a patch in pixels; must divide the image side (112: 7, 8, 14, 16, 28)")
      .add("mask-ratio", c.mask_ratio, "fraction of patches that is hidden")
      .flag("activation-checkpointing", c.activation_checkpointing,
            "recompute blocks in backward: less memory, slower");
  o.group("Losses")
      .choice("reconstruction", c.reconstruction, {"all", "hidden", "none"},
              "patches in the pixel loss; a release needs all")
      .add("reconstruction-weight", c.reconstruction_weight, "of the pixel loss")
      .flag("normalise-patches", c.normalise_patches,
            "norm_pix targets of MAE, for comparisons; such a model cannot make a release")
      .choice("relation", c.relation, relation_names(),
              "instance relation matching (IRM) between real and rebuilt faces")
      .add("relation-weight", c.relation_weight,
           "of the relation loss: a number, or auto:R to hold its gradient at R times the pixel gradient")
      .flag("relation-center", c.relation_center, "subtract the global mean embedding first")
      .choice("relation-batch", c.relation_batch, {"micro", "global"},
              "faces related to each other: those of a micro-batch, or (two passes) the whole global batch")
      .add("embedder", c.embedder,
           "random, or weights of a recognition network: RUN, checkpoint or safetensors file")
      .add("embedder-size", c.embedder_size,
           "random embedder: images are pooled to this side in pixels first")
      .add("embedder-width", c.embedder_width, "random embedder: channels (32 suits one CPU core)")
      .add("embedder-redraw", c.embedder_redraw, "random embedder: draw anew every so many steps, 0 never");
}

void declare(Options& o, RecognizeConfig& c) {
  declare_common(o, c.common);
  o.group("Recognition")
      .choice("network", c.network, network_names(), "iresnet-tiny suits CPUs")
      .choice("margin", c.margin, {"arcface", "cosface"}, "softmax with an angular or a cosine margin")
      .add("margin-m", c.margin_m, "margin [0.5 for arcface, 0.4 for cosface]")
      .add("scale", c.scale, "of the cosines")
      .choice("margin-gradient", c.margin_gradient, {"exact", "straight-through"},
              "straight-through: arcface_torch's present behaviour")
      .add(
          "class-map", c.common.class_map,
          "resume on a store with other identities: a file of lines \"now,before\" that says which class of the run each class of the store was; "
          "those not named are new, those that nobody comes from are dropped")
      .add("class-shards", c.class_shards, "virtual shards of the classes: at least as many as ranks, ever")
      .choice(
          "batch-norm", c.batch_norm, {"local", "frozen"},
          "local: a rank's own batch statistics (with --exact a slot's), running ones averaged over ranks; "
          "frozen: running ones only");
  o.group("Augmentation")
      .choice("augment", c.augment, {"none", "adaface"},
              "adaface: each of the following with its probability, in this order; a mirror image is --flip")
      .add("crop-probability", c.probabilities.crop,
           "all but a rectangle of 0.2 to 1 of the area becomes black")
      .add("low-resolution-probability", c.probabilities.low_resolution,
           "shrunk to 0.2 to 1 of the side and enlarged again")
      .add("photometric-probability", c.probabilities.photometric,
           "brightness, contrast and saturation by factors of 0.5 to 1.5");
  o.group("Evaluation during training")
      .add("eval", c.eval,
           "InsightFace packs (.bin) and texts of pairs to verify while training: evaluations.jsonl")
      .add("eval-store", c.eval_store, "store whose rows the texts of --eval name")
      .add("eval-images", c.eval_images, "folder whose files the texts of --eval name")
      .add("eval-every", c.common.eval_every, "steps between evaluations, 0: only after the last step");
}

}  // namespace facemae
