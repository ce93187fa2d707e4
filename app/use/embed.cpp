// facemae embed: embeddings of images as .npy.
#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "app/command.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "core/log.h"
#include "data/formats/image_walk.h"
#include "evaluation/formats/bin_pack.h"
#include "evaluation/npy.h"
#include "trainer/apply/embed_images.h"
#include "trainer/apply/models.h"

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

}  // namespace

ExitCode run_embed(App& app, Words words) {
  std::string from, network_name, store_folder, folder, bin, out, names;
  std::string device = "auto";
  bool no_flip = false, raw = false, bgr = false;
  Options options(
      "Writes one row of 512 float32 per image, sharded over the ranks.",
      "embed --from WEIGHTS (--store STORE | --images DIR | --bin FILE) --out FILE.npy [OPTIONS]");
  options.group("Embeddings")
      .require("from", from, "RUN, a checkpoint of it, or weights in safetensors")
      .add("network", network_name, "name of the network, when the weights do not have it")
      .add("store", store_folder, "images of a store, in row order")
      .add("images", folder, "JPEG, PNG, WebP and BMP files below a folder, sorted by path; hidden folders are left out")
      .add("bin", bin, "images of an InsightFace verification pack")
      .require("out", out, ".npy file to write")
      .add("names", names, "text file to write, one name or row per line")
      .flag("no-flip", no_flip, "do not add the mirrored image's embedding")
      .flag("raw", raw, "do not normalise")
      .flag("bgr", bgr, "the network was trained on BGR images")
      .choice("device", device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!store_folder.empty() + !folder.empty() + !bin.empty() == 1,
                "give one of --store, --images and --bin");
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = device});
  std::shared_ptr<RecognitionNetwork> network;
  ImageSet images;
  OutputLocks locks("embed");
  std::string hash;
  together(world.control(), [&] {
    if (world.control().is_root()) {
      locks.file("--out", out);
      locks.file("--names", names);
    }
    const Weights weights = read_weights(from);
    hash = weights.hash;
    network = network_from(weights, network_name);
    network->to(world.device());
    if (!store_folder.empty()) {
      const auto store = Store::open(store_folder);
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
  expect_same_weights(world.control(), from, hash);
  const auto embeddings =
      embed_images(images, *network, world, {.flip_sum = !no_flip, .normalise = !raw, .bgr = bgr});
  if (world.control().is_root()) {
    write_npy(real_files(), out, embeddings);
    std::string list;
    for (std::size_t i = 0; i < images.size; ++i) list += images.name(i) + "\n";
    if (!names.empty()) write_output(real_files(), names, list);
    spdlog::info("{}: {} embeddings", out, images.size);
  }
  app.result({{"images", images.size}});
  return ExitCode::Done;
}

}  // namespace facemae
