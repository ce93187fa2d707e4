// The configuration of recognition training: which settings of its margin, classes and images fit together.
#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/log.h"
#include "core/text.h"
#include "trainer/config/run_config.h"
#include "trainer/config/validate_run.h"

namespace facemae {
namespace {

constexpr std::int64_t kValuesOfALine =
    16;  // of float32 in 64 bytes: what equal bits of --exact need of rows

void validate_margin(Options& o, const RecognizeConfig& c) {
  const auto only_with = [&](bool given, const std::string& option, const std::string& margin) {
    o.check(!given || c.margin == margin,
            fmt::format("{} is for `--margin {}`, not for {}: leave it out", option, margin, c.margin));
  };
  only_with(c.margin_m1.has_value(), "--margin-m1", "combined");
  only_with(c.margin_m3.has_value(), "--margin-m3", "combined");
  only_with(c.margin_h.has_value(), "--margin-h", "adaface");
}

void validate_network(Options& o, const RecognizeConfig& c) {
  const NetworkKind& kind = network_kind(c.network);
  o.check(kind.has_paths || (!c.drop_path && !c.mask_tokens),
          fmt::format("--drop-path and --mask-tokens are for ViTs, not for {}: leave them out", c.network));
  o.check(kind.has_dropout || !c.dropout,
          fmt::format("--dropout is for iresnet and ir networks, not for {}: leave it out", c.network));
  o.check(
      c.embedding % kValuesOfALine == 0,
      fmt::format(
          "--embedding must be a multiple of {}, so that the rows of class centres are as cache lines are",
          kValuesOfALine));
  const std::vector<std::string> norms = {"local", "sync", "ghost:8", "frozen"};
  o.check(
      c.ghost_group() > 0 || std::find(norms.begin(), norms.end(), c.batch_norm) != norms.end(),
      c.batch_norm.starts_with("ghost")
          ? fmt::format("--batch-norm {} does not say how many rows: 2 or more, as in ghost:8", c.batch_norm)
          : fmt::format("--batch-norm: \"{}\" is unknown{}", c.batch_norm, suggestion(c.batch_norm, norms)));
  o.check(
      !c.common.exact || c.batch_norm != "sync",
      "--exact computes slots one by one, without the rows of others: use --batch-norm local, ghost:N or frozen in place of sync");
}

void validate_classes(Options& o, const RecognizeConfig& c) {
  const bool reduced = c.logit_precision == "tf32" || c.logit_precision == "bfloat16";
  o.check(!c.common.exact || !reduced, "--exact computes logits in float32: leave out --logit-precision");
  o.check(c.common.device != "cpu" || c.logit_precision != "tf32",
          "--logit-precision tf32 needs a CUDA device: use float32");
  o.check(!c.class_lr || c.common.peak_lr() > 0,
          "--class-lr is on the curve of --lr, which is 0 everywhere: raise --lr, or leave out --class-lr");
}

void validate_sets_of_pairs(Options& o, const RecognizeConfig& c) {
  const bool texts =
      std::any_of(c.eval.begin(), c.eval.end(), [](const auto& file) { return !file.ends_with(".bin"); });
  o.check(c.eval_store.empty() || c.eval_images.empty(), "give one of --eval-store and --eval-images");
  o.check(!texts || !c.eval_store.empty() || !c.eval_images.empty(),
          "--eval with a text of pairs needs --eval-store or --eval-images; packs end in .bin");
}

}  // namespace

NetworkOptions RecognizeConfig::network_options() const {
  return {.embedding = embedding,
          .drop_path = drop_path,
          .mask_tokens = mask_tokens,
          .dropout = dropout,
          .activation_checkpointing = activation_checkpointing};
}

std::int64_t RecognizeConfig::ghost_group() const {
  constexpr std::string_view ghost = "ghost:";
  if (!batch_norm.starts_with(ghost)) return 0;
  std::int64_t rows = 0;
  const char *first = batch_norm.data() + ghost.size(), *last = batch_norm.data() + batch_norm.size();
  const auto [end, error] = std::from_chars(first, last, rows);
  return error == std::errc() && end == last && rows >= 2 ? rows : 0;
}

void validate(Options& o, const RecognizeConfig& c) {
  validate(o, c.common);
  o.check(c.augment == "none" || c.common.decode == "rgb", "--augment needs --decode rgb: it works on RGB");
  o.check(
      !c.common.exact || c.batch_norm != "local" || c.common.batch == 0 ||
          smallest_micro_batch(c.common) >= 2 * static_cast<std::uint64_t>(std::max(1, c.common.exact_slots)),
      fmt::format(
          "--exact with --batch-norm local needs two images in each of the {} slots of a micro-batch, which has {}: raise --batch, lower --accumulate or --exact-slots",
          c.common.exact_slots, smallest_micro_batch(c.common)));
  validate_network(o, c);
  validate_margin(o, c);
  validate_classes(o, c);
  validate_sets_of_pairs(o, c);
}

}  // namespace facemae
