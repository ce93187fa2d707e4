#include "core/log.h"
#include "core/text.h"
#include "model/facemae/linkage.h"
#include "model/facemae/losses.h"
#include "model/facemae/relation.h"
#include "trainer/config/moving_over.h"
#include "trainer/config/run_options.h"

namespace facemae {

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
          "network that embeds the faces: random, or weights of a recognition network (RUN, a checkpoint, or a file that `facemae import` wrote)")
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
  declare_plan(o, c.common);
  for (const auto& from : moving_to_pretrain()) o.explain(from.options);
}

}  // namespace facemae
