// The options of training commands, with the help that teaches them.
#include "core/log.h"
#include "core/text.h"
#include "model/facemae/linkage.h"
#include "model/facemae/losses.h"
#include "model/facemae/relation.h"
#include "model/recognition/margins.h"
#include "model/recognition/recognition.h"
#include "trainer/config/moving_over.h"
#include "trainer/config/run_config.h"

namespace facemae {
namespace {

// Beyond these nothing is meant, and clocks, counters and thread pools overflow.
constexpr double kMostImagesOfABatch = 1 << 30;
constexpr double kMostOfAnOrder = 1 << 30;
constexpr double kMostThreads = 1024;
constexpr double kLongestSeconds = 1e9;  // thirty years
constexpr double kLongestMinutes = 16'666'666, kLongestHours = 277'777;
constexpr double kMostEpochs = 1e6;
constexpr double kMostOfAFloat = 3e38;
constexpr double kWidestMargin = 4;  // an angle, or a difference of cosines

void declare_run(Options& o, RunConfig& c) {
  o.group("Run")
      .require("store", c.store, "folder made by `facemae pack` or `facemae synth`")
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
      .add("init", c.init, "initial weights: RUN, a checkpoint, or a safetensors file")
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

void declare_optimizer(Options& o, RunConfig& c) {
  o.group("Optimizer")
      .choice("optimizer", c.optimizer.kind, {"adamw", "sgd"},
              "method that updates the weights; sgd has momentum")
      .add("lr", c.lr, "peak learning rate at this batch (or --base-lr)")
      .between(0, kMostOfAFloat)
      .add("base-lr", c.base_lr,
           "peak learning rate per 256 images of global batch [" + fmt::format("{}", c.default_base_lr) + "]")
      .between(0, kMostOfAFloat)
      .add("warmup", c.warmup, "fraction of the run in which the rate climbs from zero")
      .at_least(0)
      .below(1)
      .choice("schedule", c.schedule, schedule_kinds(),
              "curve of the learning rate, a function of images seen")
      .add("weight-decay", c.optimizer.weight_decay, "weight decay, decoupled for adamw")
      .between(0, kMostOfAFloat)
      .add("momentum", c.optimizer.momentum, "momentum, for `--optimizer sgd`")
      .at_least(0)
      .below(1)
      .add("beta1", c.optimizer.beta1, "decay of the first moment, for `--optimizer adamw`")
      .at_least(0)
      .below(1)
      .add("beta2", c.optimizer.beta2, "decay of the second moment, for `--optimizer adamw`")
      .at_least(0)
      .below(1)
      .add("clip", c.clip, "largest gradient norm; 0: no limit")
      .between(0, kMostOfAFloat)
      .add(
          "max-skips", c.max_skips,
          "steps in a row that may be skipped for a non-finite gradient; more, or a skipped last step, end the run (exit 93)")
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
          "8 bits; weights and moments stay float32. Unless given, float32")
      .add(
          "bucket-mib", c.bucket_mib,
          "MiB of gradients that are summed over the ranks in one piece while the backward pass goes on. Small pieces overlap "
          "better, large ones suffer less from the latency of many ranks. Unless given, 25 up to 128 ranks, then in "
          "proportion to the ranks, at most 200; a run keeps what its first start chose")
      .between(1, 1 << 14)
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

void declare_common(Options& o, RunConfig& c) {
  declare_run(o, c);
  declare_data(o, c);
  declare_optimizer(o, c);
  declare_checkpoints(o, c);
  declare_machine(o, c);
}

std::string default_margins() {
  std::vector<std::string> all;
  for (const auto& kind : margin_kinds()) all.push_back(fmt::format("{} for {}", kind.m, kind.name));
  return join(all, ", ");
}

}  // namespace

void declare(Options& o, PretrainConfig& c) {
  declare_common(o, c.common);
  o.group("FaceMAE")
      .choice("model", c.model, {"tiny", "small", "base", "large", "huge"}, "size of encoder and decoder")
      .add("patch", c.patch, "side of a patch in pixels; must divide the image side (112: 7, 8, 14, 16, 28)")
      .at_least(1)
      .add("mask-ratio", c.mask_ratio, "fraction of patches that is hidden")
      .above(0)
      .below(1)
      .flag("activation-checkpointing", c.activation_checkpointing,
            "recompute blocks in backward: less memory, slower");
  o.group("Blends")
      .add(
          "blend", c.blend,
          "make each training picture of the photos of K people: people:K. Their tokens are averaged between encoder and decoder, as "
          "`reconstruct --blend` does; sets --order balanced")
      .add(
          "blend-images", c.blend_images,
          "photos in a blended picture, the same number of each person [16]; --batch counts photos and must be a multiple")
      .between(1, kMostOfAnOrder)
      .add(
          "blend-min-people", c.blend_min_people,
          "people who must show a patch for it to be shown [1]; where fewer do, the decoder gets its mask token")
      .between(1, kMostOfAnOrder)
      .choice(
          "relation-target", c.relation_target, {"face", "blend"},
          "embedding that the relations of a blended picture are to have: the mean over its people, or that of one face, its first "
          "photo's, a control that should leak more. Without --blend it is face, with it blend");
  o.group("Code and linkage")
      .add(
          "code", c.code,
          "width of a code of bounded length through which all passes that a picture shows of a person, trained with noise, so that "
          "`reconstruct --code-noise` can add the noise of differential privacy; sets --order balanced, with --blend-images photos of a person [16] in a picture")
      .between(1, 4096)
      .add(
          "linkage-weight", c.linkage_weight,
          "weight of a loss that keeps attackers from linking a rebuilt face to its original among those of the batch: a number, or "
          "auto:R to begin at 0 and to change by R times what they find above twice of chance, every 50 steps")
      .add("linkage", c.linkage,
           "attackers of --linkage-weight, with commas: " + linkage_help() + " [" +
               join(linkage_names(), ",") + "]");
  o.group("Losses")
      .choice("reconstruction", c.reconstruction, reconstruction_kinds(), "patches in the pixel loss")
      .add("reconstruction-weight", c.reconstruction_weight, "weight of the pixel loss")
      .between(0, kMostOfAFloat)
      .flag("normalise-patches", c.normalise_patches,
            "use norm_pix targets of MAE, for comparisons; such a model cannot make a release")
      .choice("relation", c.relation, relation_kinds(),
              "instance relation matching (IRM) between real and rebuilt faces")
      .add(
          "relation-weight", c.relation_weight,
          "weight of the relation loss: a number, or auto:R to hold its gradient at R times the pixel gradient")
      .flag("relation-center", c.relation_center, "subtract the global mean embedding first")
      .choice("relation-batch", c.relation_batch, {"micro", "global"},
              "faces related to each other: those of a micro-batch, or (two passes) the whole global batch")
      .choice(
          "relation-form", c.relation_form, {"auto", "pairs"},
          "computation of the relation, a matter of time, memory and last bits. auto: cosine by sums over faces where an embedding has fewer "
          "values than faces are compared, so that what ranks send does not grow with the batch, and only what a relation reads is sent; "
          "pairs: all pairs of whole embeddings, as before there was a choice")
      .before("pairs")
      .choice(
          "relation-precision", c.relation_precision, {"same", "float32"},
          "number format of the embedder. same: that of --precision; with bfloat16, unit embeddings also travel in it, and a GPU "
          "computes in TF32 what stays float32")
      .before("float32")
      .add(
          "embedder", c.embedder,
          "network that embeds the faces: random, or weights of a recognition network (RUN, checkpoint or safetensors file)")
      .add("embedder-size", c.embedder_size,
           "side in pixels that images are pooled to first, for a random embedder")
      .between(8, 4096)
      .add("embedder-width", c.embedder_width, "channels of a random embedder (32 suits one CPU core)")
      .between(1, 65536)
      .add(
          "embedder-grid", c.embedder_grid,
          "side of the grid that a random embedder's map is averaged to: its embedding has this squared times --embedder-width "
          "values; a smaller map stays as it is; 0: none (7 x 7 of 56 pixels)")
      .between(0, 512)
      .before("0")
      .add("embedder-redraw", c.embedder_redraw,
           "steps after which a random embedder is drawn anew; 0: never");
  for (const auto& from : moving_to_pretrain()) o.explain(from.options);
}

void declare(Options& o, RecognizeConfig& c) {
  declare_common(o, c.common);
  o.group("Recognition")
      .choice("network", c.network, network_kinds(), "recognition network")
      .choice("margin", c.margin, margin_kinds(), "margin of the softmax")
      .add("margin-m", c.margin_m, "size m of the margin [" + default_margins() + "]")
      .between(-kWidestMargin, kWidestMargin)
      .add("scale", c.scale, "factor of the cosines")
      .above(0)
      .at_most(kMostOfAFloat)
      .choice("margin-gradient", c.margin_gradient, {"exact", "straight-through"},
              "gradient of the margin; straight-through: arcface_torch's present behaviour")
      .add(
          "class-map", c.common.class_map,
          "file of lines \"now,before\", to resume on a store with other identities: it says which class of the run each class of the store was; "
          "classes of the store that are not named are new, classes of the run that no line names are dropped")
      .free()
      .add("class-shards", c.class_shards,
           "virtual shards of the classes: at least as many as the most ranks this run will ever use")
      .between(1, 1 << 20)
      .choice(
          "batch-norm", c.batch_norm, {"local", "frozen"},
          "statistics of batch norms. local: a rank's own batch statistics (with --exact a slot's), running ones averaged over ranks; "
          "frozen: running ones only")
      .choice(
          "memory-format", c.memory_format, {"auto", "contiguous", "channels-last"},
          "order of the values of images and maps in memory: contiguous has one channel after the other, channels-last all channels of a "
          "pixel together. The results differ in their last bits only. auto: what a begun run has; else what is faster for this network "
          "and device, with --exact contiguous. Checkpoints are the same");
  o.group("Augmentation")
      .choice(
          "augment", c.augment, {"none", "adaface", "rebuilt"},
          "changes to training images. adaface: the first three of the following, each with its probability, in this order; "
          "rebuilt: all of them, for rebuilt faces, which are smooth and have seams between patches where photographs have none; a mirror image is --flip")
      .add("crop-probability", c.probabilities.crop,
           "probability that all but a rectangle of 0.2 to 1 of the area becomes black")
      .between(0, 1)
      .add("low-resolution-probability", c.probabilities.low_resolution,
           "probability that an image is shrunk to 0.2 to 1 of the side and enlarged again")
      .between(0, 1)
      .add("photometric-probability", c.probabilities.photometric,
           "probability that brightness, contrast and saturation change by factors of 0.5 to 1.5")
      .between(0, 1)
      .add(
          "shift-probability", c.shift,
          "rebuilt: probability that an image moves by up to a 28th of its side both ways (0.5 unless given)")
      .between(0, 1)
      .add("sharpen-probability", c.sharpen,
           "rebuilt: probability of an unsharp mask of amount 0.5 to 2 (0.2 unless given)")
      .between(0, 1)
      .add("blur-probability", c.blur,
           "rebuilt: probability of a Gaussian blur of 0.3 to 1.5 pixels of 112 (0.2 unless given)")
      .between(0, 1)
      .add("jpeg-probability", c.jpeg,
           "rebuilt: probability of a compression as JPEG of quality 30 to 95 (0.2 unless given)")
      .between(0, 1);
  o.group("Evaluation during training")
      .add(
          "eval", c.eval,
          "InsightFace packs (.bin) and texts of pairs (docs/FORMATS.md, Sets for evaluation) to verify while training: "
          "evaluations.jsonl; all are looked at before training")
      .free()
      .add("eval-store", c.eval_store, "store whose rows the texts of --eval name")
      .free()
      .add("eval-images", c.eval_images, "folder whose files the texts of --eval name")
      .free()
      .add("eval-every", c.common.eval_every, "steps between evaluations; 0: only after the last step")
      .free();
  for (const auto& from : moving_to_recognize()) o.explain(from.options);
}

}  // namespace facemae
