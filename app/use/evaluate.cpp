// facemae evaluate: verification by ten folds, IJB-B and IJB-C, identification.
#include "app/use/evaluate.h"

#include "app/command.h"
#include "cluster/host/agree.h"
#include "core/files/output_place.h"
#include "model/recognition/aliases.h"

namespace facemae {
namespace {

void declare(Options& options, EvaluateOptions& o) {
  options.group("Embeddings")
      .require("from", o.from, "RUN, a checkpoint of it, or weights: safetensors or a file of PyTorch")
      .unless("embeddings")
      .add("network", o.network_name, "name of the network, when the weights do not have it")
      .understood(network_name_now)
      .add(
          "embeddings", o.embeddings,
          "file for the raw embeddings of one set, .npy: written with --from, and read to score again without it "
          "(docs/FORMATS.md, Kept embeddings)")
      .flag("no-flip", o.no_flip, "do not add the mirrored image's embedding")
      .flag("bgr", o.bgr,
            "the network was trained on BGR images, where its file does not say so (`import --bgr`)")
      .choice("device", o.device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on")
      .choice(
          "precision", o.precision, {"float32", "tf32", "bfloat16"},
          "number format of the network's layers; tf32 needs a GPU, bfloat16 also runs on CPUs that have it. "
          "float32 unless given, whatever the network was trained in, so that embeddings agree between machines")
      .add(
          "workers", o.workers,
          "threads of a rank that decode images beside the network; 0: one on a CPU, beside a GPU all cores but two")
      .between(0, 1024);
  options.group("Pairs: accuracy by folds")
      .add("store", o.store, "store whose rows --pairs names (`facemae pairs` made them)")
      .add("images", o.images, "folder whose files --pairs names")
      .add(
          "pairs", o.pairs,
          "text of pairs, folds in order: `a b same` per line, also with commas or tabs and a heading; LFW's "
          "`name i j` and `name i name j`; or CALFW's and CPLFW's, an image and its number per line "
          "(docs/FORMATS.md, Pairs)")
      .add("landmarks", o.landmarks,
           "file with five points of each face below --images, which are then aligned as `pack` does it")
      .add("bin", o.bins, "InsightFace verification packs, pickle protocols 0 to 5")
      .add("folds", o.folds, "folds of the protocol; 0: what the pairs say, else 10");
  options.group("IJB: templates, 1:1 and 1:N")
      .add("ijb", o.ijb, "folder with loose_crop/ and meta/, as InsightFace publishes it")
      .add("subset", o.subset, "ijbb or ijbc")
      .flag("no-face-scores", o.no_face_scores, "faces count alike, whatever score their detector gave them")
      .flag("normalise-faces", o.normalise_faces,
            "bring each face's embedding to norm 1 before templates are made");
  options.group("Folders: 1:N")
      .add("probe", o.probe, "folder of faces that are looked for")
      .add("gallery", o.gallery, "folder of faces among which they are looked for")
      .add("distractors", o.distractors, "folder of faces of nobody who is looked for, added to --gallery")
      .choice(
          "identity", o.identity, {"folder", "name"},
          "what tells whose a face is: the folder that it is in, or its file's name up to the first _ (TinyFace)");
  options.group("Output")
      .add("csv", o.csv, "file to write, one line per set")
      .add("scores", o.scores, "CSV file to write, one line per pair: its images and their squared distance")
      .add("roc", o.roc, "CSV file to write, points of the curve: threshold, false accepts and true accepts");
}

void check(Options& options, const EvaluateOptions& o) {
  const bool of_pairs = !o.store.empty() || !o.images.empty() || !o.bins.empty(),
             folders = !o.gallery.empty();
  options.check(!o.store.empty() + !o.images.empty() + !o.bins.empty() + !o.ijb.empty() + folders == 1,
                "give one of --store, --images, --bin, --ijb and --gallery");
  options.check(o.pairs.empty() == (o.store.empty() && o.images.empty()),
                "--store and --images need --pairs, --bin, --ijb and --gallery do not");
  options.check(o.folds == 0 || o.folds >= 2, "--folds must be at least 2");
  options.check(o.folds == 0 || of_pairs, "--folds is of pairs: leave it out");
  options.check(
      o.landmarks.empty() || !o.images.empty(),
      "--landmarks is of --images: stores are aligned when they are packed, packs and TinyFace are published "
      "aligned, IJB has points of its own");
  options.check(o.ijb.empty() || o.subset == "ijbb" || o.subset == "ijbc",
                "--ijb needs --subset ijbb or ijbc");
  options.check(!o.ijb.empty() || (o.subset.empty() && !o.no_face_scores && !o.normalise_faces),
                "--subset, --no-face-scores and --normalise-faces are of --ijb");
  options.check(o.probe.empty() != folders, "--probe and --gallery need each other");
  options.check(folders || (o.distractors.empty() && o.identity == "folder"),
                "--distractors and --identity are of --gallery");
  options.check(o.scores.empty() || of_pairs, "--scores is of pairs: leave it out");
  options.check(o.roc.empty() || !folders, "--roc is of pairs: leave it out");
  options.check(o.embeddings.empty() || o.bins.size() <= 1,
                "--embeddings keeps those of one set: give one --bin");
  options.check(!o.from.empty() || (o.network_name.empty() && !o.bgr && o.precision == "float32"),
                "--network, --bgr and --precision are of weights: give --from, or leave them out");
}

}  // namespace

ExitCode run_evaluate(App& app, Words words) {
  EvaluateOptions o;
  Options options(
      "Verification by the 10-fold protocol: embedding of the image plus that of its mirror image, normalised; "
      "the threshold comes from nine folds, the accuracy from the tenth. TAR at FAR is over all pairs. IJB-B and IJB-C by "
      "templates, and identification among the faces of folders. Images are sharded over the ranks.",
      "evaluate --from WEIGHTS (--store STORE --pairs FILE | --images DIR --pairs FILE | --bin FILE... | --ijb DIR "
      "--subset ijbb|ijbc | --probe DIR --gallery DIR) [OPTIONS]");
  declare(options, o);
  if (!options.parse(words, app.common)) return ExitCode::Done;
  check(options, o);
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = o.device});
  OutputLocks locks("evaluate");
  together(world.control(), [&] {
    if (!world.control().is_root()) return;
    locks.file("--csv", o.csv);
    locks.file("--scores", o.scores);
    locks.file("--roc", o.roc);
    if (o.from.empty()) return;
    if (!o.embeddings.empty() && is_written_into(o.embeddings))
      throw ConfigError("--embeddings " + o.embeddings + " is a pipe or a device: name a file");
    locks.file("--embeddings", o.embeddings);
  });
  EmbeddingSource source(world, o);
  nlohmann::ordered_json result = !o.ijb.empty()       ? evaluate_ijb(world, o, source)
                                  : !o.gallery.empty() ? evaluate_folders(world, o, source)
                                                       : evaluate_pairs(world, o, source);
  app.result(result);
  return ExitCode::Done;
}

}  // namespace facemae
