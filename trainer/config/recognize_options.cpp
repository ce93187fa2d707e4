#include "core/log.h"
#include "core/text.h"
#include "model/recognition/margins.h"
#include "model/recognition/recognition.h"
#include "trainer/config/moving_over.h"
#include "trainer/config/run_options.h"

namespace facemae {
namespace {

constexpr double kWidestMargin = 4;  // an angle, or a difference of cosines

std::string default_margins() {
  std::vector<std::string> all;
  for (const auto& kind : margin_kinds()) all.push_back(fmt::format("{} for {}", kind.m, kind.name));
  return join(all, ", ");
}

}  // namespace

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
