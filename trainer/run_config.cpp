#include "trainer/run_config.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "core/log.h"
#include "core/text.h"
#include "model/recognition.h"
#include "model/relation.h"

namespace facemae {
namespace {

std::uint64_t smallest_micro_batch(const RunConfig& c) {
  return c.batch / static_cast<std::uint64_t>(std::max(1, c.accumulate));
}

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
      .choice(
          "order", c.order.kind, {"auto", "uniform", "blocks", "balanced"},
          "of images. uniform: a shuffle of all, each read on its own; blocks: a shuffle of large reads, "
          "for large stores on shared disks; balanced: images of an identity together, identities equally "
          "often; auto: blocks from 16 million images on, else uniform")
      .add("order-lanes", c.order.lanes,
           "of blocks: streams that are read side by side, each by one rank; 0: about 1024, suited to the "
           "micro-batch. Not less than the ranks that the run will ever have")
      .add("order-block", c.order.block, "of blocks: images that lie and are read together")
      .add("order-images-per-identity", c.order.images_per_identity, "of balanced; divides a micro-batch")
      .choice("data-mode", c.data_mode, {"auto", "shared", "replica"},
              "shared: all nodes read the store; replica: each copies it to --local-dir while it trains and "
              "reads what has landed; auto: replica when it fits on every node")
      .add("local-dir", c.local_dir, "folder on a disk of each node, for copies of the shards")
      .add("max-quarantined", c.max_quarantined,
           "of the images that may be in shards that cannot be read any more; others stand in for them. More "
           "end the run (exit 65)")
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
      .add("max-skips", c.max_skips, "steps in a row that may be skipped for a non-finite gradient");
  o.group("Checkpoints and stopping")
      .add("save-every", c.save_every, "steps between checkpoints")
      .add("keep", c.keep, "checkpoints to keep, at least 2")
      .add("stop-after", c.stop_after, "commit after this step and exit 76, as on notice; the schedule stays")
      .add("max-hours", c.max_hours, "commit and exit 76 after this time");
  o.group("Machine")
      .choice("device", c.device, {"auto", "cpu", "cuda"}, "auto takes a GPU when there is one")
      .choice("backend", c.backend, {"auto", "mpi", "nccl"}, "of tensor collectives")
      .choice("precision", c.precision, {"float32", "tf32", "bfloat16"}, "of the forward pass")
      .flag("exact", c.exact,
            "weights with the same bits on any number of ranks, also when it changes at a resume: the CPU, "
            "float32, one thread a rank; slower")
      .add("exact-slots", c.exact_slots,
           "of --exact: parts that a micro-batch is cut into and computed by; a power of two, not less than "
           "the ranks that the run will ever have")
      .add("threads", c.threads, "compute threads of a rank; 0: the cores it may use / ranks on the host")
      .add("workers", c.workers, "threads of a rank that read and decode")
      .add("block-cache-mib", c.block_cache_mib,
           "MiB of a rank for blocks of images, which the order of blocks reads in one piece each; 0 reads "
           "every image on its own")
      .add("peer-deadline", c.peer_deadline,
           "seconds that a rank waits for the others before it gives up (exit 75)")
      .add("log-every", c.log_every, "steps between lines of metrics.jsonl");
}

void validate_exact(Options& o, const RunConfig& c) {
  const bool power = c.exact_slots > 0 && std::has_single_bit(static_cast<unsigned>(c.exact_slots));
  o.check(power, "--exact-slots must be a power of two");
  if (!c.exact) return;
  o.check(c.device != "cuda", "--exact computes on the CPU: leave out --device cuda");
  o.check(c.precision == "float32", "--exact computes in float32: leave out --precision");
  o.check(c.threads <= 1, "--exact computes with one thread a rank: leave out --threads, take more ranks");
  o.check(!power || c.batch == 0 || smallest_micro_batch(c) >= static_cast<std::uint64_t>(c.exact_slots),
          fmt::format("--exact: a micro-batch of {} images leaves some of the {} slots empty: raise --batch, "
                      "lower --accumulate or --exact-slots",
                      smallest_micro_batch(c), c.exact_slots));
}

void validate_common(Options& o, const RunConfig& c) {
  o.check(c.steps.has_value() != c.epochs.has_value(), "give one of --steps and --epochs");
  o.check(!c.steps || *c.steps > 0, "--steps must be at least 1");
  o.check(!c.epochs || *c.epochs > 0, "--epochs must be above 0");
  o.check(c.batch > 0 || !o.given("batch"), "--batch must be at least 1");
  o.check(c.accumulate > 0, "--accumulate must be at least 1");
  o.check(
      c.accumulate <= 0 || static_cast<std::uint64_t>(c.accumulate) <= std::max<std::uint64_t>(1, c.batch),
      "--accumulate is larger than --batch: a micro-batch would be empty");
  o.check(!(c.lr && c.base_lr), "give one of --lr and --base-lr");
  o.check(c.peak_lr() >= 0, "the learning rate must not be negative");
  o.check(c.warmup >= 0 && c.warmup < 1, "--warmup is a fraction of the run: 0 to below 1");
  o.check(c.clip >= 0, "--clip must not be negative");
  o.check(c.save_every > 0, "--save-every must be at least 1");
  o.check(c.keep >= 2, "--keep must be at least 2: one checkpoint may turn out bad");
  o.check(c.log_every > 0, "--log-every must be at least 1");
  o.check(c.workers > 0, "--workers must be at least 1");
  o.check(c.threads >= 0, "--threads must not be negative");
  validate_exact(o, c);
  o.check(c.max_bad_fraction >= 0 && c.max_bad_fraction <= 1, "--max-bad-fraction is within 0 and 1");
  o.check(c.order.block > 0, "--order-block must be at least 1");
  o.check(c.order.images_per_identity > 0, "--order-images-per-identity must be at least 1");
  const auto groups = std::max<std::uint64_t>(1, c.order.images_per_identity) *
                      static_cast<std::uint64_t>(std::max(1, c.accumulate));
  o.check(
      c.order.kind != "balanced" || c.batch % groups == 0,
      "--order balanced: --batch must be a multiple of --order-images-per-identity times --accumulate, so "
      "that no group of images is torn apart");
  o.check(c.data_mode != "replica" || !c.local_dir.empty(), "--data-mode replica needs --local-dir");
  o.check(c.max_quarantined >= 0 && c.max_quarantined < 1, "--max-quarantined is a fraction: 0 to below 1");
  o.check(c.read_patience > 0, "--read-patience must be above 0");
  o.check(c.peer_deadline > 0, "--peer-deadline must be above 0");
}

std::map<std::string, std::string> parse_text(const std::string& text) {
  std::map<std::string, std::string> values;
  for (const auto& line : split(text, '\n'))
    if (const auto equals = line.find('='); equals != std::string::npos)
      values[trim(line.substr(0, equals))] = trim(line.substr(equals + 1));
  return values;
}

}  // namespace

std::uint64_t RunConfig::total_steps(std::uint64_t images) const {
  if (steps) return *steps;
  return static_cast<std::uint64_t>(
      std::ceil(*epochs * static_cast<double>(images) / static_cast<double>(batch)));
}

double RunConfig::peak_lr() const {
  return lr ? *lr : base_lr.value_or(default_base_lr) * static_cast<double>(batch) / 256;
}

Schedule RunConfig::schedule_for(std::uint64_t images) const {
  return {.kind = schedule, .peak = peak_lr(), .total_images = total_steps(images) * batch, .warmup = warmup};
}

RunConfig run_config_of(const PretrainConfig& config) { return config.common; }

RunConfig run_config_of(const RecognizeConfig& config) {
  RunConfig run = config.common;
  if (config.augment == "adaface") run.augment = config.probabilities;
  return run;
}

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
      .add("class-shards", c.class_shards, "virtual shards of the classes: at least as many as ranks, ever")
      .choice("batch-norm", c.batch_norm, {"local", "frozen"},
              "local: a rank's own batch statistics (with --exact a slot's), running ones averaged over "
              "ranks; frozen: running ones only");
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

void validate(Options& o, const PretrainConfig& c) {
  validate_common(o, c.common);
  o.check(c.patch > 0, "--patch must be at least 1");
  o.check(c.mask_ratio > 0 && c.mask_ratio < 1, "--mask-ratio must be between 0 and 1");
  o.check(c.reconstruction_weight >= 0, "--reconstruction-weight must not be negative");
  o.check(c.embedder_size >= 8, "--embedder-size must be at least 8");
  o.check(c.embedder_width > 0, "--embedder-width must be at least 1");
  const bool automatic = c.relation_weight.starts_with("auto:");
  const std::string number = automatic ? c.relation_weight.substr(5) : c.relation_weight;
  char* end = nullptr;
  const double weight = std::strtod(number.c_str(), &end);
  o.check(!number.empty() && *end == '\0' && weight >= 0,
          "--relation-weight is a number or auto:R, R above 0");
  o.check(!automatic || c.reconstruction != "none",
          "--relation-weight auto needs a pixel loss to compare with");
  o.check(c.reconstruction != "none" || c.relation != "none",
          "nothing to learn: --reconstruction and --relation are none");
  const auto& common = c.common;
  const std::uint64_t smallest = smallest_micro_batch(common);
  o.check(c.relation == "none" || common.batch == 0 ||
              (c.relation_batch == "global" ? common.batch : smallest) >= 2,
          "a relation needs at least 2 images in a (micro-)batch");
  o.check(
      c.relation != "pkt" || common.batch == 0 ||
          (c.relation_batch == "global" ? common.batch : smallest) >= 3,
      "--relation pkt needs at least 3 images in a (micro-)batch: with 2 there is one other, always likely");
  o.check(c.relation_batch == "micro" || !automatic,
          "--relation-weight auto works with --relation-batch micro only");
}

void validate(Options& o, const RecognizeConfig& c) {
  validate_common(o, c.common);
  for (const double p : {c.probabilities.crop, c.probabilities.low_resolution, c.probabilities.photometric})
    o.check(p >= 0 && p <= 1, "probabilities of --augment are within 0 and 1");
  o.check(c.augment == "none" || c.common.decode == "rgb", "--augment needs --decode rgb: it works on RGB");
  o.check(c.scale > 0, "--scale must be above 0");
  o.check(c.class_shards > 0, "--class-shards must be at least 1");
  o.check(
      !c.common.exact || c.batch_norm == "frozen" || c.common.batch == 0 ||
          smallest_micro_batch(c.common) >= 2 * static_cast<std::uint64_t>(std::max(1, c.common.exact_slots)),
      fmt::format("--exact with --batch-norm local needs two images in each of the {} slots of a "
                  "micro-batch, which has {}: raise --batch, lower --accumulate or --exact-slots",
                  c.common.exact_slots, smallest_micro_batch(c.common)));
  const bool texts =
      std::any_of(c.eval.begin(), c.eval.end(), [](const auto& file) { return !file.ends_with(".bin"); });
  o.check(c.eval_store.empty() || c.eval_images.empty(), "give one of --eval-store and --eval-images");
  o.check(!texts || !c.eval_store.empty() || !c.eval_images.empty(),
          "--eval with a text of pairs needs --eval-store or --eval-images; packs end in .bin");
}

std::string with_order(const std::string& text, const OrderConfig& settled) {
  std::string changed;
  for (const auto& line : split(text, '\n')) {
    const std::string key = trim(line.substr(0, line.find('=')));
    if (key == "order") {
      changed += "order = " + settled.kind + "\n";
    } else if (key == "order-lanes") {
      changed += fmt::format("order-lanes = {}\n", settled.lanes);
    } else if (!line.empty()) {
      changed += line + "\n";
    }
  }
  return changed;
}

bool free_to_change(const std::string& key) {
  static const std::set<std::string> keys = {"run",
                                             "stop-after",
                                             "max-hours",
                                             "save-every",
                                             "keep",
                                             "workers",
                                             "threads",
                                             "device",
                                             "backend",
                                             "log-every",
                                             "fresh",
                                             "dry-run",
                                             "peer-deadline",
                                             "init",
                                             "max-skips",
                                             "allow-changes",
                                             "max-bad-fraction",
                                             "block-cache-mib",
                                             "eval",
                                             "eval-store",
                                             "eval-images",
                                             "eval-every",
                                             "data-mode",
                                             "local-dir",
                                             "max-quarantined",
                                             "read-patience",
                                             "store"};  // the store is compared by its dataset digest
  return keys.contains(key);
}

std::vector<std::string> result_changes(const std::string& was, const std::string& is) {
  const auto before = parse_text(was), now = parse_text(is);
  std::set<std::string> keys;
  for (const auto& [key, value] : before) keys.insert(key);
  for (const auto& [key, value] : now) keys.insert(key);
  const auto shown = [](const auto& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string("unset") : found->second;
  };
  std::vector<std::string> changes;
  for (const auto& key : keys)
    if (!free_to_change(key) && shown(before, key) != shown(now, key))
      changes.push_back(key + ": was " + shown(before, key) + ", is " + shown(now, key));
  return changes;
}

}  // namespace facemae
