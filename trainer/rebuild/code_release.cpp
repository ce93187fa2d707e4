#include "trainer/rebuild/code_release.h"

#include <torch/torch.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "core/random/discrete_gaussian.h"
#include "data/image/image.h"
#include "model/common/pixels.h"
#include "model/facemae/code.h"

namespace facemae {
namespace {

constexpr double kLeastMu = 0.125, kMostMu = 16;  // the variance is a whole number of 48 bits at the least

std::uint64_t noise_variance(double mu) {
  const double deviation = 2 * static_cast<double>(kCodeStep) / mu;
  return static_cast<std::uint64_t>(std::ceil(deviation * deviation));
}

Bytes bytes_of_number(const std::uint64_t& number) {
  return {reinterpret_cast<const std::byte*>(&number), sizeof number};
}

/// Noise for a mask of every key's own stream, [n, patches].
torch::Tensor mask_noise(std::vector<SecretStream>& streams, std::int64_t patches) {
  auto noise = torch::empty({static_cast<std::int64_t>(streams.size()), patches}, torch::kFloat64);
  auto* value = noise.data_ptr<double>();
  for (auto& stream : streams)
    for (std::int64_t patch = 0; patch < patches; ++patch) *value++ = stream.uniform();
  return noise;
}

}  // namespace

std::optional<double> mu_of_noise(const std::string& noise) {
  if (noise == "none") return {};
  double mu = 0;
  const bool named = noise.starts_with("mu:");
  const std::string number = named ? noise.substr(3) : "";
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), mu);
  if (!named || code != std::errc() || end != number.data() + number.size() ||
      !(mu >= kLeastMu && mu <= kMostMu))
    throw ConfigError(
        fmt::format("--code-noise is mu:X with X from {} to {}, or none, not {}", kLeastMu, kMostMu, noise));
  return mu;
}

std::vector<std::int64_t> sum_of_codes(const torch::Tensor& codes) {
  const auto values = codes.to(torch::kCPU, torch::kFloat64).contiguous();
  const auto width = static_cast<std::size_t>(values.size(1));
  std::vector<std::int64_t> sum(width, 0);
  for (std::int64_t photo = 0; photo < values.size(0); ++photo) {
    const double* value = values[photo].data_ptr<double>();
    std::vector<std::int64_t> steps(width);
    double shorter = 1;
    for (std::int64_t square = kCodeStep * kCodeStep + 1; square > kCodeStep * kCodeStep; shorter -= 1e-6) {
      square = 0;
      for (std::size_t i = 0; i < width; ++i) {
        steps[i] = static_cast<std::int64_t>(std::trunc(value[i] * shorter * static_cast<double>(kCodeStep)));
        square += steps[i] * steps[i];
      }
    }
    for (std::size_t i = 0; i < width; ++i) sum[i] += steps[i];
  }
  return sum;
}

torch::Tensor noisy_mean(std::span<const std::int64_t> sum, std::uint64_t photos, const SecretKey& key,
                         const std::optional<double>& mu) {
  SecretStream draws(key);
  std::vector<float> mean;
  for (const std::int64_t value : sum) {
    const std::int64_t noise = mu ? discrete_gaussian(draws, noise_variance(*mu)) : 0;
    mean.push_back(static_cast<float>(static_cast<double>(value + noise) /
                                      (static_cast<double>(photos) * static_cast<double>(kCodeStep))));
  }
  return torch::tensor(mean, torch::kFloat32);
}

void CodeRelease::add_group(std::int64_t label, std::vector<std::uint64_t> source_rows) {
  groups_[label] = std::move(source_rows);
}

torch::Tensor CodeRelease::codes_of_rows(std::span<const std::uint64_t> rows) {
  const int side = model_->config.image;
  const std::size_t image_bytes = static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3;
  Decoder decoder;
  std::vector<std::byte> encoded;
  std::vector<torch::Tensor> all;
  for (std::size_t at = 0; at < rows.size(); at += config_.batch) {
    const std::size_t count = std::min(config_.batch, rows.size() - at);
    std::vector<std::uint8_t> pixels(count * image_bytes);
    std::vector<SecretStream> streams;
    for (std::size_t i = 0; i < count; ++i) {
      decode_row(source_, rows[at + i], side, decoder, encoded,
                 std::span(pixels).subspan(i * image_bytes, image_bytes));
      streams.emplace_back(derive(config_.mask_key, "mask of a face", encoded));
    }
    const Masked mask =
        mask_from_noise(mask_noise(streams, model_->config.patches()).to(device_), config_.mask_ratio);
    all.push_back(codes_of(*model_, model_->encode(to_network_input(pixels, side, {}, device_), mask)));
  }
  return torch::cat(all);
}

const torch::Tensor& CodeRelease::code_of(std::int64_t label) {
  if (const auto known = codes_.find(label); known != codes_.end()) return known->second;
  const torch::NoGradGuard no_grad;
  const auto& rows = groups_.at(label);
  const auto number = static_cast<std::uint64_t>(label);
  const SecretKey key = derive(config_.noise_key, "noise of a code", bytes_of_number(number));
  return codes_[label] = noisy_mean(sum_of_codes(codes_of_rows(rows)), rows.size(), key, config_.mu);
}

std::vector<std::vector<std::byte>> CodeRelease::pictures(std::uint64_t first,
                                                          std::span<const std::int64_t> labels,
                                                          const std::function<void(std::size_t)>& advance) {
  const torch::NoGradGuard no_grad;
  const int side = model_->config.image;
  const std::size_t image_bytes = static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3;
  const std::int64_t patches = model_->config.patches();
  Decoder decoder;
  std::vector<std::byte> encoded;
  std::vector<std::vector<std::byte>> made;
  for (std::size_t at = 0; at < labels.size(); at += config_.batch) {
    const std::size_t count = std::min(config_.batch, labels.size() - at);
    std::vector<torch::Tensor> codes;
    std::vector<std::uint8_t> pixels(count * image_bytes);
    std::vector<SecretStream> streams;
    for (std::size_t i = 0; i < count; ++i) {
      codes.push_back(code_of(labels[at + i]));
      const std::uint64_t number = first + at + i;
      auto& draws =
          streams.emplace_back(derive(config_.mask_key, "nuisance of a picture", bytes_of_number(number)));
      decode_row(nuisance_, draws.below(nuisance_.size()), side, decoder, encoded,
                 std::span(pixels).subspan(i * image_bytes, image_bytes));
    }
    const Masked two = mask_from_noise(mask_noise(streams, patches).to(device_), nuisance_ratio(patches));
    const auto latent = model_->encode(to_network_input(pixels, side, {}, device_), two);
    const auto tokens = tokens_of_codes(*model_, torch::stack(codes).to(device_),
                                        {.tokens = model_->embed_for_decoder(latent),
                                         .kept = two.kept,
                                         .shown = torch::ones({latent.size(0)}, latent.options())});
    const auto bytes = to_bytes(model_->unpatchify(model_->decode_tokens(tokens)));
    for (std::size_t i = 0; i < count; ++i) {
      const Image image{side,
                        side,
                        {bytes.begin() + static_cast<std::ptrdiff_t>(i * image_bytes),
                         bytes.begin() + static_cast<std::ptrdiff_t>((i + 1) * image_bytes)}};
      made.push_back(config_.png ? encode_png(image) : encode_jpeg(image, config_.jpeg_quality));
    }
    advance(count);
  }
  return made;
}

}  // namespace facemae
