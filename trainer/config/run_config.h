#pragma once
// The configuration of a training run: one struct tree with defaults in place, declared as
// options, validated once.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/options/options.h"
#include "data/image/augment.h"
#include "data/order/order.h"
#include "model/facemae/losses.h"
#include "model/recognition/recognition.h"
#include "trainer/classes/class_optimizer.h"
#include "trainer/config/save_schedule.h"
#include "trainer/config/schedule.h"
#include "trainer/step/optimizer.h"

namespace facemae {

/// What pretraining and recognition training share.
struct RunConfig {
  std::string store, run;
  std::optional<std::uint64_t> steps;
  std::optional<double> epochs;
  std::uint64_t batch = 0;  ///< global, over all ranks and micro-batches
  int accumulate = 1;
  std::uint64_t seed = 0;
  bool flip = true;
  AugmentConfig augment;  ///< of recognition training only
  std::string decode = "rgb";
  double max_bad_fraction = 1e-5;
  OrderConfig order;
  std::uint64_t together = 1;  ///< faces that come one after the other and make one row: a set of --blend
  std::string data_mode = "auto", local_dir;
  double max_quarantined = 0.05;
  double read_patience = 30;

  OptimizerConfig optimizer;
  ClassUpdateConfig class_update;  ///< of recognition training
  std::optional<double> lr, base_lr;
  double default_base_lr = 1.5e-4;
  double warmup = 0.05;
  std::optional<double> warmup_epochs;        ///< in place of warmup
  std::optional<std::uint64_t> warmup_steps;  ///< in place of warmup
  std::string schedule = "cosine";
  std::vector<double> milestones;  ///< multistep: epochs, or fractions of the run below 1; none: 0.6, 0.85
  double gamma = 0.1;              ///< multistep: factor at a milestone
  double power = 1;                ///< polynomial
  std::string decay;               ///< all | weights (trainer/config/decay.h); "": the task's own
  double clip = 0;                 ///< gradient norm; 0 does not clip

  std::string precision = "auto";  ///< settled before its text is taken: trainer/input/machine.h
  std::string device = "auto", backend = "auto";
  int workers = 0, threads = 0;
  bool exact = false;                 ///< the same bits on any number of ranks
  int exact_slots = 8;                ///< that every micro-batch is cut into then
  std::optional<bool> deterministic;  ///< on GPUs: the same bits from the same command
  std::uint64_t block_cache_mib = 256;
  std::optional<std::uint64_t> bucket_mib;  ///< settled by a run's first start; none in runs of version 0.1.0
  std::string gradient_dtype = "float32";   ///< float32 | bfloat16
  bool shard_optimizer = false;

  std::uint64_t save_every = 500;  ///< steps; 0: not by steps
  std::optional<double> save_minutes, mtbf_hours;
  int keep = 3;
  std::uint64_t keep_every = 0;
  bool keep_best = false;
  int max_failed_saves = 3, max_idle_starts = 3;
  std::optional<std::uint64_t> stop_after;
  std::optional<double> max_hours;
  std::string end_time;
  std::uint64_t log_every = 10;
  std::string profile_steps;                    ///< "A-B": trainer/config/step_span.h; "": none
  std::uint64_t eval_every = 2000;              ///< of recognition training; also after the last step
  double peer_deadline = 600, hang_limit = 20;  ///< seconds
  std::uint64_t check_replicas = 1000;          ///< steps; 0: never
  int max_skips = 10;
  std::string init;
  std::string class_map;  ///< of recognition training
  bool fresh = false, allow_changes = false, dry_run = false;
  /// Of a dry run without a store.
  std::optional<std::uint64_t> assume_identities, assume_images;
  std::optional<int> assume_ranks;

  /// Optimizer steps of the whole run over a store of `images`.
  std::uint64_t total_steps(std::uint64_t images) const;
  double peak_lr() const;  ///< lr, else base_lr * batch / 256
  /// Over a store of `images`. Throws ConfigError when the run is over before the warm-up or a milestone.
  Schedule schedule_for(std::uint64_t images) const;
  SaveSchedule save_schedule() const;
  /// Runs that version 0.1.0 began have neither a size of buckets nor what came with it, so their bits stay.
  BucketConfig buckets() const;
  OptimizerConfig optimizer_of_run() const;
  /// --end-time in seconds since 1970. Throws ConfigError when it is no time.
  std::optional<std::int64_t> end_seconds() const;
};

/// What a row of the training is made of when several photos make one picture.
struct TrainingSets {
  std::uint64_t people = 1, photos = 16, min_people = 1;  ///< photos: of all people together
  std::uint64_t photos_of_each() const { return photos / people; }
};

struct PretrainConfig {
  RunConfig common;
  std::string model = "tiny";
  int patch = 8;
  double mask_ratio = 0.75;
  Reconstruction reconstruction = Reconstruction::All;
  bool normalise_patches = false;
  double reconstruction_weight = 1;
  std::string relation = "cosine";
  std::string relation_weight = "1";  ///< a number, or auto:R
  bool relation_center = false;
  std::string relation_batch = "micro";
  std::string relation_form = "auto", relation_precision = "same";
  std::string embedder = "random";
  int embedder_size = 56, embedder_width = 128, embedder_grid = 2;
  std::uint64_t embedder_redraw = 1;
  bool activation_checkpointing = false;
  std::string blend;  ///< people:K; "": every face by itself
  std::optional<std::uint64_t> blend_images, blend_min_people;
  std::string relation_target;  ///< face | blend; "": blend with --blend or --code, else face
  std::optional<int> code;      ///< width
  std::string linkage_weight;   ///< a number, or auto:R; "": no linkage loss
  std::string linkage;          ///< names of linkage_kinds() with commas; "": all

  std::optional<TrainingSets> sets() const;  ///< nothing: every face is a row
  bool relates_blends() const { return sets() && relation_target != "face"; }
};

/// What --augment rebuilt adds to AdaFace's three changes.
inline constexpr AugmentConfig kRebuiltAugment{.shift = 0.5, .sharpen = 0.2, .blur = 0.2, .jpeg = 0.2};

struct RecognizeConfig {
  RunConfig common;
  std::string augment = "none";
  AugmentConfig probabilities{.crop = 0.2, .low_resolution = 0.2, .photometric = 0.2};
  /// Of --augment rebuilt alone; unless given, kRebuiltAugment's.
  std::optional<double> shift, sharpen, blur, jpeg;
  std::string network = "iresnet-tiny";  ///< no alias
  std::int64_t embedding = kEmbeddingWidth;
  std::optional<double> drop_path, mask_tokens, dropout;  ///< unless given, the network's own
  bool activation_checkpointing = false;
  std::string margin = "arcface";
  std::optional<double> margin_m;
  double scale = 64;
  std::string margin_gradient = "exact";
  std::optional<double> margin_m1, margin_m3;  ///< of combined
  std::optional<double> margin_h;              ///< of adaface
  std::int64_t class_shards = 1024;
  double sample_rate = 1;               ///< fraction of the classes in a step's softmax
  std::string class_update = "sparse";  ///< sparse | dense
  std::uint64_t logit_mib = 512;
  std::string logit_precision = "auto";  ///< auto | float32 | tf32 | bfloat16
  std::optional<double> class_filter;    ///< cosine
  std::optional<double> class_lr, class_weight_decay;
  std::string batch_norm = "local";  ///< local | sync | ghost:N | frozen
  /// auto, until it is settled (trainer/run/resume.h): contiguous, or channels-last.
  std::string memory_format = "auto";
  std::vector<std::string> eval;        ///< packs (.bin) and texts of pairs
  std::string eval_store, eval_images;  ///< what texts of pairs name

  NetworkOptions network_options() const;
  std::int64_t ghost_group() const;  ///< N of --batch-norm ghost:N, 2 or more; 0 for anything else
};

/// What run_training needs of a command's configuration.
RunConfig run_config_of(const PretrainConfig& config);
RunConfig run_config_of(const RecognizeConfig& config);

/// Declares the options, with this command's own first.
void declare(Options& options, PretrainConfig& config);
void declare(Options& options, RecognizeConfig& config);
/// Adds every fault that does not need the store.
void validate(Options& options, const PretrainConfig& config);
void validate(Options& options, const RecognizeConfig& config);

/// The text of a command's configuration, once the order of its images is chosen: what a run writes down.
using ConfigText = std::function<std::string(const OrderConfig& chosen)>;

/// MiB of a bucket of gradients. Pure. 25 up to 128 ranks, then more: a ring of many ranks is bound by its latency. Of
/// --exact always 25, because the norm is a sum over buckets and must not depend on the ranks.
std::uint64_t default_bucket_mib(int ranks, bool exact);

/// Lines "key: was A, is B" for the keys that differ and may not (Option::free). Both are configuration texts.
std::vector<std::string> result_changes(const std::string& was, const std::string& is);

}  // namespace facemae
