// facemae embed: embeddings of images as .npy.
#include <algorithm>
#include <numeric>

#include "app/command.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "core/fields.h"
#include "core/files/output_place.h"
#include "core/log.h"
#include "core/text.h"
#include "data/formats/image_walk.h"
#include "evaluation/formats/bin_pack.h"
#include "evaluation/onnx/onnx_choice.h"
#include "model/recognition/aliases.h"
#include "trainer/apply/models.h"
#include "trainer/apply/onnx_network.h"
#include "trainer/apply/write_embeddings.h"
#include "trainer/input/open_store.h"

namespace facemae {
namespace {

std::vector<Path> images_below(const Path& folder) {
  if (!std::filesystem::is_directory(folder))
    throw ConfigError("--images " + folder.string() + " is not a folder");
  std::vector<Path> files;
  LeftOut left_out;
  walk_images(folder, left_out,
              {.folder = {}, .image = [&](const auto& image) { files.push_back(folder / image); }});
  std::sort(files.begin(), files.end());
  left_out.tell();
  return files;
}

/// One line per embedding: row, label and identity of a store's image, else the image's name.
void write_names(const Path& path, const ImageSet& images, const Store* store) {
  constexpr std::size_t kPiece = 1 << 20;
  write_output(real_files(), path, [&](OutputFile& file) {
    std::string lines;
    for (std::size_t i = 0; i < images.size; ++i) {
      if (store != nullptr) {
        const std::int64_t label = store->label(i);
        lines += fmt::format("{}\t{}\t{}\n", i, label, tsv_field(store->identity_name(label)));
      } else {
        lines += tsv_field(images.name(i)) + "\n";
      }
      if (lines.size() < kPiece) continue;
      file.write(bytes_of(lines));
      lines.clear();
    }
    file.write(bytes_of(lines));
  });
}

/// Would one file replace the other?
bool are_one_file(const Path& a, const Path& b) {
  if (is_written_into(a) || is_written_into(b)) return false;
  std::error_code unseen, unseen_too;
  const Path one = std::filesystem::weakly_canonical(std::filesystem::absolute(a), unseen),
             other = std::filesystem::weakly_canonical(std::filesystem::absolute(b), unseen_too);
  return !unseen && !unseen_too && one == other;
}

}  // namespace

ExitCode run_embed(App& app, Words words) {
  std::string from, network_name, store_folder, folder, bin, out, names;
  std::string device = "auto", precision = "float32";
  bool no_flip = false, raw = false, bgr = false;
  Options options(
      "Writes one row of float32 per image, the network's embedding (512 values by default), sharded over the ranks.",
      "embed --from WEIGHTS (--store STORE | --images DIR | --bin FILE) --out FILE.npy [OPTIONS]");
  options.group("Embeddings")
      .require(
          "from", from,
          std::string(
              "RUN, a checkpoint of it, weights (safetensors or a file of PyTorch), or a network of others as ") +
              kOnnxForm)
      .add("network", network_name, "name of the network, when the weights do not have it")
      .understood(network_name_now)
      .add("store", store_folder, "images of a store, in row order")
      .add(
          "images", folder,
          "JPEG, PNG, WebP and BMP files below a folder, also behind links, sorted by path; hidden folders are left out")
      .add("bin", bin, "images of an InsightFace verification pack")
      .require("out", out, ".npy file to write; one process may also write into a pipe or /dev/stdout")
      .add(
          "names", names,
          "text file to write, one line per embedding: row, label and identity of a store's image, parted by tabs; "
          "the path of a file")
      .flag("no-flip", no_flip, "do not add the mirrored image's embedding")
      .flag("raw", raw, "do not normalise")
      .flag("bgr", bgr,
            "the network was trained on BGR images, where its file does not say so (`import --bgr`)")
      .choice("device", device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on")
      .choice(
          "precision", precision, {"float32", "tf32", "bfloat16"},
          "number format of the network's layers; tf32 needs a GPU, bfloat16 also runs on CPUs that have it. "
          "float32 unless given, whatever the network was trained in, so that embeddings agree between machines");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!store_folder.empty() + !folder.empty() + !bin.empty() == 1,
                "give one of --store, --images and --bin");
  options.check(!is_onnx(from) || (!bgr && network_name.empty()),
                "--bgr and --network are of weights; with an ONNX file order=bgr says it");
  options.check(!is_onnx(from) || precision == "float32",
                "an ONNX file is computed as it is: leave out --precision");
  options.check(names.empty() || !are_one_file(names, out), "--names and --out are the same file");
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = device});
  std::shared_ptr<RecognitionNetwork> network;
  ImageSet images;
  OutputLocks locks("embed");
  Control& control = world.control();
  together(control, [&] {
    if (!control.is_root()) return;
    locks.file("--out", out);
    locks.file("--names", names);
  });
  require_place_of_embeddings(control, out);
  std::shared_ptr<const Store> store;
  if (!store_folder.empty()) store = open_once_a_node(control, world.topology(), store_folder);
  std::string hash;
  Precision computed{};
  together(control, [&] {
    computed = applied_precision(precision, world.device());
    if (is_onnx(from)) {
      network = onnx_network(from);
      hash = xxh128(bytes_of(read_file(onnx_choice(from).file))).hex();
    } else {
      const Weights weights = read_weights(from);
      hash = weights.hash;
      bgr &= !takes_bgr(weights);  // else the network takes RGB already
      network = network_at_work(weights, world.device(), network_name);
    }
    if (store) {
      std::vector<std::uint64_t> rows(store->size());
      std::iota(rows.begin(), rows.end(), std::uint64_t{0});
      images = images_of(store, std::move(rows));
    } else if (!folder.empty()) {
      images = images_of(images_below(folder));
      if (images.size == 0) throw ConfigError("no picture (JPEG, PNG, WebP, BMP) below " + folder);
    } else {
      images = images_of(read_bin_pack(bin).images);
      if (images.size == 0) throw DataError(bin + " holds no image");
    }
  });
  expect_same_weights(control, from, hash);
  write_embeddings(images, *network, world,
                   {.flip_sum = !no_flip, .normalise = !raw, .bgr = bgr, .precision = computed}, out);
  together(control, [&] {
    if (control.is_root() && !names.empty()) write_names(names, images, store.get());
  });
  if (control.is_root()) spdlog::info("{}: {} embeddings", out, human_count(images.size));
  app.result({{"images", images.size}});
  return ExitCode::Done;
}

}  // namespace facemae
