#include "core/log.h"
#include "core/text.h"
#include "model/recognition/aliases.h"
#include "model/recognition/recognition.h"
#include "model/softmax/margins.h"
#include "trainer/config/moving_over.h"
#include "trainer/config/run_options.h"

namespace facemae {
namespace {

constexpr double kWidestMargin = 4;  // an angle, or a difference of cosines
constexpr double kMostDropped = 0.9, kWidestEmbedding = 1 << 16;
constexpr double kMostOfAScore = 1e6;
constexpr double kMostOfShards = 1 << 20;
constexpr int kLeastOfLogits = 16, kMostOfLogits = 1 << 20;  // MiB

std::string default_margins() {
  std::vector<std::string> all;
  for (const auto& kind : margin_kinds()) all.push_back(fmt::format("{} for {}", kind.m, kind.name));
  return join(all, ", ");
}

void declare_margin(Options& o, RecognizeConfig& c) {
  o.group("Recognition")
      .choice(
          "network", c.network, network_kinds(),
          "recognition network; arcface_torch's names stand for them, too (r50, mbf, vit_b_dp005_mask_005, ...), with "
          "what they say of dropped paths and masks")
      .understood([&c](const std::string& word) {
        if (const auto* alias = find_network_alias(word)) {
          if (!c.drop_path) c.drop_path = alias->drop_path;
          if (!c.mask_tokens) c.mask_tokens = alias->mask_tokens;
        }
        return network_name_now(word);
      })
      .add("embedding", c.embedding, "values of an embedding, a multiple of 16; usual are 128, 256 and 512")
      .between(16, kWidestEmbedding)
      .before(fmt::format("{}", kEmbeddingWidth))
      .choice("margin", c.margin, margin_kinds(), "margin of the softmax")
      .add("margin-m", c.margin_m, "size m of the margin [" + default_margins() + "]")
      .between(-kWidestMargin, kWidestMargin)
      .add("margin-m1", c.margin_m1,
           fmt::format("for `--margin combined`: factor of the angle, before m is added [{}]", Margin().m1))
      .above(0)
      .at_most(kWidestMargin)
      .add("margin-m3", c.margin_m3,
           fmt::format("for `--margin combined`: what is taken from the cosine [{}]", Margin().m3))
      .between(-kWidestMargin, kWidestMargin)
      .add("margin-h", c.margin_h,
           fmt::format(
               "for `--margin adaface`: how much the norm of an embedding counts; with 0 it is cosface [{}]",
               Margin().h))
      .between(0, kMostOfAScore)
      .add("scale", c.scale, "factor of the cosines")
      .above(0)
      .at_most(kMostOfAFloat)
      .choice(
          "margin-gradient", c.margin_gradient, {"exact", "straight-through"},
          "gradient of the margin; straight-through: that of the plain cosine, as arcface_torch and CVLface have it now");
}

void declare_classes(Options& o, RecognizeConfig& c) {
  o.group("Classes")
      .add(
          "class-map", c.common.class_map,
          "file of lines \"now,before\", to resume on a store with other identities: it says which class of the run each class of the store was; "
          "classes of the store that are not named are new, classes of the run that no line names are dropped")
      .free()
      .add("class-shards", c.class_shards,
           "virtual shards of the classes: at least as many as the most ranks this run will ever use")
      .between(1, kMostOfShards)
      .add(
          "sample-rate", c.sample_rate,
          "fraction of the classes that take part in a step's softmax (Partial FC): those of the step's images, and others drawn "
          "anew in each step. 0: those of its images alone. May change between starts; a resume without it keeps the run's")
      .between(0, 1)
      .before("1")
      .free()
      .choice(
          "class-update", c.class_update, {"sparse", "dense"},
          "class centres that a step moves when not all take part. sparse: those that do, the others keep every bit; dense: all of "
          "them, the others by weight decay and their momentum, as arcface_torch does since 2022")
      .before("dense")
      .add(
          "class-filter", c.class_filter,
          "cosine above which a class that is not the image's own counts as if it were at a right angle, without gradient: for sets that "
          "have people in several classes each; arcface_torch takes 0.4")
      .above(0, "leave it out to filter none")
      .below(1)
      .add("class-lr", c.class_lr,
           "peak learning rate of the class centres, on the curve of --lr. Unless given, the same")
      .between(0, kMostOfAFloat)
      .add("class-weight-decay", c.class_weight_decay,
           "weight decay of the class centres. Unless given, --weight-decay")
      .between(0, kMostOfAFloat)
      .add(
          "logit-mib", c.logit_mib,
          "MiB of logits that a rank holds at a time. Where they would take more they are computed in pieces and twice, which "
          "changes last bits")
      .between(kLeastOfLogits, kMostOfLogits)
      .before(fmt::format("{}", kMostOfLogits))
      .choice(
          "logit-precision", c.logit_precision, {"auto", "float32", "tf32", "bfloat16"},
          "number format in which embeddings and class centres are multiplied; bfloat16 rounds these, never a product, and that "
          "with an image's own class is always of float32. auto: tf32 on GPUs with --precision tf32 or bfloat16, else float32")
      .before("auto");
}

}  // namespace

void declare(Options& o, RecognizeConfig& c) {
  declare_common(o, c.common);
  declare_margin(o, c);
  declare_classes(o, c);
  o.group("Network")
      .add(
          "batch-norm", c.batch_norm,
          "statistics of batch norms. local: those of a rank's rows of a micro-batch (with --exact of a slot's), running ones averaged over "
          "ranks; sync: those of the rows of all ranks; ghost:N: those of every N rows, which do not depend on ranks; frozen: running "
          "ones only")
      .add(
          "drop-path", c.drop_path,
          "for ViTs: probability that an image skips one half of the last block; it falls linearly to 0 at the first [0.1; "
          "vit-l 0.05]")
      .between(0, kMostDropped)
      .add(
          "mask-tokens", c.mask_tokens,
          "for ViTs: fraction of an image's patches that training replaces by a learned token [0.1; vit-h 0]")
      .between(0, kMostDropped)
      .add(
          "dropout", c.dropout,
          "for iresnet and ir networks: probability that a feature before the last linear layer is dropped [ir 0.4, iresnet 0]")
      .between(0, kMostDropped)
      .flag("activation-checkpointing", c.activation_checkpointing,
            "recompute blocks in backward: less memory, slower; the results are the same")
      .before("no")
      .free()
      .choice(
          "memory-format", c.memory_format, {"auto", "contiguous", "channels-last"},
          "order of the values of images and maps in memory: contiguous has one channel after the other, channels-last all channels of a "
          "pixel together. The results differ in their last bits only. auto: what a begun run has; else what is faster for this network "
          "and device, with --exact contiguous. Checkpoints are the same")
      .before("contiguous", /*open=*/"auto");
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
  declare_plan(o, c.common);
  for (const auto& from : moving_to_recognize()) o.explain(from.options);
}

}  // namespace facemae
