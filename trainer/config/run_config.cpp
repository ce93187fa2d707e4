#include "trainer/config/run_config.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "model/recognition/recognition.h"
#include "trainer/config/step_span.h"
#include "trainer/config/validate_run.h"

namespace facemae {

std::uint64_t smallest_micro_batch(const RunConfig& c) {
  return c.batch / c.together / static_cast<std::uint64_t>(std::max(1, c.accumulate));
}

namespace {

void validate_exact(Options& o, const RunConfig& c) {
  const bool power = c.exact_slots > 0 && std::has_single_bit(static_cast<unsigned>(c.exact_slots));
  o.check(power, "--exact-slots must be a power of two");
  if (!c.exact) return;
  o.check(c.device == "auto" || c.device == "cpu",
          "--exact computes on the CPU: leave out --device " + c.device);
  o.check(c.precision == "float32" || c.precision == "auto",
          "--exact computes in float32: leave out --precision");
  o.check(c.gradient_dtype != "bfloat16", "--exact sums gradients in float32: leave out --gradient-dtype");
  o.check(
      !c.shard_optimizer,
      "--exact holds the gradients once for each of its slots, beside which the moments are little: leave "
      "out --shard-optimizer");
  o.check(c.threads <= 1, "--exact computes with one thread per rank: leave out --threads, take more ranks");
  o.check(
      !power || c.batch == 0 || smallest_micro_batch(c) >= static_cast<std::uint64_t>(c.exact_slots),
      fmt::format(
          "--exact: a micro-batch of {} images leaves some of the {} slots empty: raise --batch, lower --accumulate or --exact-slots",
          smallest_micro_batch(c), c.exact_slots));
}

/// By the name that each option has now.
std::map<std::string, std::string> parse_text(const std::string& text, const Options& known) {
  std::map<std::string, std::string> values;
  for (const auto& line : split(text, '\n'))
    if (const auto equals = line.find('='); equals != std::string::npos)
      values[known.name_now(trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
  return values;
}

void validate_plan(Options& o, const RunConfig& c) {
  const bool planned = c.assume_identities || c.assume_images || c.assume_ranks;
  if (!planned) return;
  o.check(c.dry_run, "--assume-identities, --assume-images and --assume-ranks are for --dry-run: add it");
  o.check(c.assume_identities && c.assume_images,
          "--assume-identities and --assume-images describe a store together: give both");
  o.check(c.store.empty(), "--assume-identities and --assume-images take the place of --store: leave it out");
  o.check(!c.assume_identities || !c.assume_images || *c.assume_identities <= *c.assume_images,
          "--assume-identities are more than --assume-images: each has an image at least");
  o.check(!c.exact, "--assume-identities plans for ranks that compute their rows at once: leave out --exact");
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
  Schedule curve{.kind = schedule,
                 .peak = peak_lr(),
                 .total_images = total_steps(images) * batch,
                 .warmup = warmup,
                 .gamma = gamma,
                 .power = power};
  const auto total = static_cast<double>(curve.total_images), epoch = static_cast<double>(images);
  if (warmup_epochs) curve.warmup = *warmup_epochs * epoch / total;
  if (warmup_steps) curve.warmup = static_cast<double>(*warmup_steps * batch) / total;
  if (curve.warmup >= 1)
    throw ConfigError(fmt::format(
        "the warm-up is as long as the run of {} steps, so that the rate never reaches its peak: lower {}",
        total_steps(images), warmup_epochs ? "--warmup-epochs" : "--warmup-steps"));
  if (milestones.empty()) return curve;
  curve.milestones = milestones;
  if (milestones.front() < 1) return curve;
  for (auto& at : curve.milestones) at = at * epoch / total;
  if (curve.milestones.back() >= 1)
    throw ConfigError(
        fmt::format("--milestones: epoch {} is not before the end of the run of {} steps: leave it out",
                    milestones.back(), total_steps(images)));
  return curve;
}

SaveSchedule RunConfig::save_schedule() const {
  SaveSchedule when{.every_steps = save_every, .every_seconds = {}, .mtbf_seconds = {}};
  if (save_minutes) when.every_seconds = *save_minutes * 60;
  if (mtbf_hours) when.mtbf_seconds = *mtbf_hours * 3600;
  return when;
}

BucketConfig RunConfig::buckets() const {
  return {.bytes = static_cast<std::size_t>(bucket_mib.value_or(25)) << 20,
          .aligned = bucket_mib.has_value(),
          .travels_as = gradient_dtype == "bfloat16" ? torch::kBFloat16 : torch::kFloat32,
          .shard = shard_optimizer};
}

OptimizerConfig RunConfig::optimizer_of_run() const {
  OptimizerConfig config = optimizer;
  config.fused = bucket_mib.has_value() && !exact;
  return config;
}

std::uint64_t default_bucket_mib(int ranks, bool exact) {
  constexpr std::uint64_t kUsual = 25, kManyRanks = 128;
  constexpr std::uint64_t kLargest = 200;  // several buckets remain to overlap with the backward pass
  if (exact) return kUsual;
  return std::clamp(kUsual * static_cast<std::uint64_t>(ranks) / kManyRanks, kUsual, kLargest);
}

std::optional<std::int64_t> RunConfig::end_seconds() const {
  if (end_time.empty()) return {};
  std::string text = end_time;
  if (text == "slurm") {
    const char* end = std::getenv("SLURM_JOB_END_TIME");
    if (end == nullptr)
      throw ConfigError(
          "--end-time slurm: SLURM_JOB_END_TIME is not set: this is not a job of a Slurm that sets it; give a time");
    text = end;
  }
  const auto seconds = parse_time(text, epoch_seconds());
  if (!seconds || *seconds < 0)
    throw ConfigError("--end-time " + end_time +
                      " is not a time: write 2026-01-31T12:00, 12:00, seconds since 1970, or slurm");
  return seconds;
}

RunConfig run_config_of(const RecognizeConfig& config) {
  RunConfig run = config.common;
  const AugmentConfig& all = config.probabilities;
  if (config.augment == "rebuilt") {
    run.augment = all;
    run.augment.shift = config.shift.value_or(kRebuiltAugment.shift);
    run.augment.sharpen = config.sharpen.value_or(kRebuiltAugment.sharpen);
    run.augment.blur = config.blur.value_or(kRebuiltAugment.blur);
    run.augment.jpeg = config.jpeg.value_or(kRebuiltAugment.jpeg);
  }
  if (config.augment == "adaface")
    run.augment = {.crop = all.crop, .low_resolution = all.low_resolution, .photometric = all.photometric};
  run.class_update = {.dense = config.class_update == "dense", .weight_decay = config.class_weight_decay};
  if (config.class_lr) run.class_update.rate = *config.class_lr / run.peak_lr();
  return run;
}

void validate(Options& o, const RunConfig& c) {
  o.check(c.steps.value_or(0) <= (std::uint64_t{1} << 62) / std::max<std::uint64_t>(1, c.batch),
          "--steps times --batch is more images than can be counted");
  o.check(c.steps.has_value() != c.epochs.has_value(), "give one of --steps and --epochs");
  o.check(
      c.accumulate <= 0 || static_cast<std::uint64_t>(c.accumulate) <= std::max<std::uint64_t>(1, c.batch),
      "--accumulate is larger than --batch: a micro-batch would be empty");
  validate_optimizer(o, c);
  o.check(c.save_every > 0 || c.save_minutes || c.mtbf_hours,
          "--save-every 0 needs --save-minutes or --mtbf-hours: else nothing is saved before the end");
  try {
    c.end_seconds();
  } catch (const ConfigError& error) {
    o.check(false, error.what());
  }
  o.check(c.profile_steps.empty() || step_span(c.profile_steps).has_value(),
          "--profile-steps " + c.profile_steps + " is no A-B with 1 <= A <= B");
  validate_exact(o, c);
  validate_plan(o, c);
  const auto groups = std::max<std::uint64_t>(1, c.order.images_per_identity) *
                      static_cast<std::uint64_t>(std::max(1, c.accumulate));
  o.check(
      c.order.kind != "balanced" || c.together > 1 || c.batch % groups == 0,
      "--order balanced: --batch must be a multiple of --order-images-per-identity times --accumulate, so that no group of images is torn apart");
  o.check(c.data_mode != "replica" || !c.local_dir.empty(), "--data-mode replica needs --local-dir");
}

std::vector<std::string> result_changes(const std::string& was, const std::string& is) {
  PretrainConfig pretrain;
  RecognizeConfig recognize;
  Options options("", "");
  declare(options, pretrain);
  Options others("", "");
  declare(others, recognize);
  const auto may_change = [&](const std::string& key) {
    return options.may_change(key) || others.may_change(key);
  };
  const auto named_now = [&](const std::string& text) {
    auto values = parse_text(text, options);
    std::map<std::string, std::string> all;
    for (auto& [key, value] : values) all[others.name_now(key)] = std::move(value);
    return all;
  };
  const auto before = named_now(was), now = named_now(is);
  std::set<std::string> keys;
  for (const auto& [key, value] : before) keys.insert(key);
  for (const auto& [key, value] : now) keys.insert(key);
  const auto shown = [&](const auto& values, const std::string& key) {
    const auto found = values.find(key);
    if (found != values.end()) return found->second;
    const auto old = options.before(key).empty() ? others.before(key) : options.before(key);
    return old.empty() ? std::string("unset") : old;
  };
  // A switch that the version which began the run did not have was off then.
  const auto same = [](const std::string& old, const std::string& now_is) {
    return old == now_is || (old == "unset" && now_is == "no");
  };
  std::vector<std::string> changes;
  for (const auto& key : keys)
    if (!may_change(key) && !same(shown(before, key), shown(now, key)))
      changes.push_back(key + ": was " + shown(before, key) + ", is " + shown(now, key));
  return changes;
}

}  // namespace facemae
