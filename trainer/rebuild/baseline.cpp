#include "trainer/rebuild/baseline.h"

#include <torch/torch.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "core/kinds.h"
#include "core/log.h"
#include "core/text.h"
#include "evaluation/linkage/features.h"
#include "model/common/pixels.h"

namespace facemae {
namespace {

struct BaselineRow {
  const char* name;
  BaselineKind value;
  const char* help;
  const char* amount;  ///< what is given behind the colon, "" nothing
  double least, most;
  const char* text;
};
constexpr BaselineRow kBaselines[] = {
    {"masked", BaselineKind::Masked, "patches of 16 x 16 pixels, this share of them grey", "R", 0.001, 0.999,
     "Every image in this store is a real image of which a share of the patches is grey."},
    {"blur", BaselineKind::Blur, "a Gaussian of this many pixels", "SIGMA", 0.1, 100,
     "Every image in this store is a blurred real image."},
    {"mosaic", BaselineKind::Mosaic, "blocks of this many pixels, of one colour each", "BLOCK", 2, 1024,
     "Every image in this store is a real image in coarse blocks."},
    {"noise", BaselineKind::Noise, "normal noise of this many grey levels of 255 on every value", "SIGMA",
     0.1, 10000, "Every image in this store is a real image with noise."},
    {"real", BaselineKind::Real, "the real faces as they are", "", 0, 0,
     "**REAL FACES: every image in this store is a real image, decoded and encoded again. Nothing is hidden.**"},
};

const BaselineRow& row_for(BaselineKind kind) {
  return *std::find_if(std::begin(kBaselines), std::end(kBaselines),
                       [&](const BaselineRow& row) { return row.value == kind; });
}

/// images [B, 3, H, W] -> the same, blurred; beyond the border its pixels go on.
torch::Tensor blurred(const torch::Tensor& images, double sigma) {
  namespace F = torch::nn::functional;
  const auto reach = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(3 * sigma)));
  auto kernel = torch::exp(-torch::arange(-reach, reach + 1, torch::kFloat64).square() / (2 * sigma * sigma));
  kernel = (kernel / kernel.sum()).to(torch::kFloat32);
  const auto rows = images.flatten(0, 1).unsqueeze(1);
  const auto wide = F::pad(rows, F::PadFuncOptions({reach, reach, reach, reach}).mode(torch::kReplicate));
  const auto across = F::conv2d(wide, kernel.view({1, 1, 1, -1}));
  return F::conv2d(across, kernel.view({1, 1, -1, 1})).view(images.sizes());
}

/// One draw a patch; mid grey is 0.
void mask(torch::Tensor face, double ratio, std::int64_t patch, SecretStream& draws) {
  const std::int64_t across = face.size(2) / patch, patches = across * (face.size(1) / patch);
  auto noise = torch::empty({1, patches}, torch::kFloat64);
  for (std::int64_t i = 0; i < patches; ++i) noise[0][i] = draws.uniform();
  const auto hidden = mask_from_noise(noise, ratio).hidden;
  for (std::int64_t i = 0; i < patches; ++i)
    if (hidden[0][i].item<float>() > 0)
      face.narrow(1, i / across * patch, patch).narrow(2, i % across * patch, patch).zero_();
}

/// Box and Muller, cosine half, in units of the network's input.
void add_noise(torch::Tensor face, double sigma, SecretStream& draws) {
  auto* value = face.data_ptr<float>();
  for (std::int64_t i = 0; i < face.numel(); ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - draws.uniform()));
    value[i] += static_cast<float>(sigma / 127.5 * radius * std::cos(2 * std::numbers::pi * draws.uniform()));
  }
}

torch::Tensor defended(torch::Tensor images, const std::vector<SecretKey>& keys, const Baseline& baseline) {
  switch (baseline.kind) {
    case BaselineKind::Blur:
      return blurred(images, baseline.amount);
    case BaselineKind::Mosaic:
      return mosaic(images, static_cast<std::int64_t>(baseline.amount));
    case BaselineKind::Masked:
    case BaselineKind::Noise:
      for (std::size_t i = 0; i < keys.size(); ++i) {
        SecretStream draws(keys[i]);
        const auto face = images[static_cast<std::int64_t>(i)];
        if (baseline.kind == BaselineKind::Masked)
          mask(face, baseline.amount, baseline.patch, draws);
        else
          add_noise(face, baseline.amount, draws);
      }
      return images;
    case BaselineKind::Real:
      break;
  }
  return images;
}

}  // namespace

Baseline baseline_from(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const BaselineRow& row = row_of(kBaselines, text.substr(0, colon), "choosing --baseline");
  const bool wanted = *row.amount != '\0';
  Baseline baseline{.kind = row.value, .amount = 0, .name = text};
  if (!wanted && colon == text.size()) return baseline;
  const char* end = text.data() + text.size();
  const char* begin = std::min(text.data() + colon + 1, end);
  const auto [stop, fault] = std::from_chars(begin, end, baseline.amount);
  if (!wanted || fault != std::errc() || stop != end || !(baseline.amount >= row.least) ||
      !(baseline.amount <= row.most) ||
      (row.value == BaselineKind::Mosaic && baseline.amount != std::floor(baseline.amount)))
    throw ConfigError(wanted ? fmt::format("--baseline {}: give {}:{}, {} from {} to {}", text, row.name,
                                           row.amount, row.help, row.least, row.most)
                             : fmt::format("--baseline {}: {} takes no amount", text, row.name));
  return baseline;
}

std::string baseline_help() {
  std::vector<std::string> kinds;
  for (const BaselineRow& row : kBaselines)
    kinds.push_back(
        fmt::format("{}{}{}, {}", row.name, *row.amount == '\0' ? "" : ":", row.amount, row.help));
  return join(kinds, "; ");
}

std::string baseline_text(const Baseline& baseline) { return row_for(baseline.kind).text; }

void check_baseline(const Baseline& baseline, int side) {
  if (baseline.kind == BaselineKind::Masked && side % baseline.patch != 0)
    throw ConfigError(fmt::format("--baseline {}: patches of {} pixels do not divide images of {}",
                                  baseline.name, baseline.patch, side));
}

std::vector<std::vector<std::byte>> baseline_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                                  const Baseline& baseline, const RebuildConfig& config,
                                                  const std::function<void(std::size_t)>& advance) {
  const int side = source.image_size();
  const torch::NoGradGuard no_grad;
  const std::size_t image_bytes = pixel_bytes(side, side);
  std::vector<std::vector<std::byte>> made;
  std::vector<std::byte> encoded;
  Decoder decoder;
  for (std::size_t at = 0; at < rows.size(); at += config.batch) {
    const std::size_t count = std::min(config.batch, rows.size() - at);
    std::vector<std::uint8_t> pixels(count * image_bytes);
    std::vector<SecretKey> keys;
    for (std::size_t i = 0; i < count; ++i) {
      decode_row(source, rows[at + i], side, decoder, encoded,
                 std::span(pixels).subspan(i * image_bytes, image_bytes));
      keys.push_back(derive(config.mask_key, "baseline", encoded));
    }
    append_encoded(defended(to_network_input(pixels, side, {}, torch::kCPU), keys, baseline), config, made);
    advance(count);
  }
  return made;
}

}  // namespace facemae
