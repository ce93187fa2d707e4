// facemae show: what a FaceMAE makes of a few pictures.
#include <torch/torch.h>

#include <optional>

#include "app/command.h"
#include "app/output_locks.h"
#include "core/files/owner_files.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "data/image/resize.h"
#include "model/common/pixels.h"
#include "trainer/apply/models.h"
#include "trainer/apply/triptych.h"

namespace facemae {

ExitCode run_show(App& app, Words words) {
  std::vector<std::string> pictures;
  std::string from, out;
  std::optional<double> asked_ratio;
  std::uint64_t seed = 0;
  Options options(
      "Draws original | masked | rebuilt for a few pictures. They are fitted to the model's size (the middle square).",
      "show IMAGE... --from WEIGHTS --out triptych.png [OPTIONS]");
  options.positional("IMAGE...", pictures, "JPEG, PNG, WebP or BMP files, aligned like the training faces",
                     1);
  options.group("Picture")
      .require("from", from, "RUN, a checkpoint of it, or FaceMAE weights: safetensors or a file of PyTorch")
      .require("out", out, "PNG file to write")
      .add("mask-ratio", asked_ratio,
           "fraction of patches that is hidden; unless given, that of the model's training")
      .above(0)
      .below(1)
      .add("seed", seed, "seed for the masks");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("show");
  OutputLocks locks("show");
  locks.file("--out", out);
  const Weights weights = read_weights(from);
  FaceMae model = face_mae_from(weights);
  const double ratio = mask_ratio_for(weights, asked_ratio);
  const int side = model->config.image;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint64_t> keys;
  Decoder decoder;
  for (const auto& picture : pictures) {
    const std::string encoded = read_file(picture);
    try {
      const Image image = fit_square(decoder.decode_upright(bytes_of(encoded)), side);
      pixels.insert(pixels.end(), image.pixels.begin(), image.pixels.end());
    } catch (const DataError& error) {
      throw DataError(picture + ": " + error.what());
    }
    keys.push_back(key_of(seed, Purpose::Mask, keys.size()));
  }
  const auto faces = to_network_input(pixels, side, {}, torch::kCPU);
  const auto mask = random_masks(keys, model->config.patches(), ratio, torch::kCPU);
  const auto png = encode_png(triptych(model, faces, mask, normalises_patches(weights)));
  write_output(owner_files(), out, Bytes(png));  // it shows real faces
  spdlog::info("{}: original | masked | rebuilt of {} picture(s), {}", out, pictures.size(), weights.origin);
  app.result({{"pictures", pictures.size()},
              {"from", weights.origin},
              {"model_hash", weights.hash},
              {"mask_ratio", ratio}});
  return ExitCode::Done;
}

}  // namespace facemae
