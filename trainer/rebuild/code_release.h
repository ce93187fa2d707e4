#pragma once
// Deployment with differential privacy for a photo: the mean code of a group's photos, with noise that is drawn once,
// and any number of pictures made of it, which add nothing that depends on these photos (post-processing).
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/random/secret.h"
#include "data/store/store.h"
#include "model/facemae/face_mae.h"

namespace facemae {

/// Codes are counted in these steps, so that sums and noise are whole numbers and no rounding can tell of a photo.
constexpr std::int64_t kCodeStep = std::int64_t{1} << 20;  ///< to the length 1

/// mu of "mu:X", nothing for "none" (no noise, and no claim). Throws ConfigError: X must be from 0.125 to 16.
std::optional<double> mu_of_noise(const std::string& noise);

/// The sum of codes [n, W], each cut towards 0 to whole steps and, should rounding have left it longer than kCodeStep,
/// shortened: replacing one photo moves the sum by 2 kCodeStep at most. [W].
std::vector<std::int64_t> sum_of_codes(const torch::Tensor& codes);

/// (sum + noise) / n: the noise of every value is a discrete Gaussian with standard deviation 2 kCodeStep / mu, rounded
/// up, so that the mean is mu-GDP for the replacement of one of n photos, n being known (docs/METHOD.md, "Code").
/// Drawn from `key` alone: the same for every picture of a group and after a restart. float32 [W].
torch::Tensor noisy_mean(std::span<const std::int64_t> sum, std::uint64_t photos, const SecretKey& key,
                         const std::optional<double>& mu);

struct CodeReleaseConfig {
  double mask_ratio = 0.75;
  SecretKey mask_key;   ///< as of rebuild_rows()
  SecretKey noise_key;  ///< of all groups
  std::optional<double> mu;
  int jpeg_quality = 95;
  bool png = false;
  std::size_t batch = 64;
};

/// Groups of a release, each by its label, whose noisy codes are made when they are first asked for.
class CodeRelease {
 public:
  /// All must outlive it. `nuisance` shows other people, whose photos lend what pictures of a group differ in.
  CodeRelease(const Store& source, const Store& nuisance, FaceMae& model, torch::Device device,
              const CodeReleaseConfig& config)
      : source_(source), nuisance_(nuisance), model_(model), device_(device), config_(config) {}

  /// A group's photos, all of them, whatever part of the release is made here.
  void add_group(std::int64_t label, std::vector<std::uint64_t> source_rows);
  /// The code with its noise, float32 [W].
  const torch::Tensor& code_of(std::int64_t label);
  /// Encoded pictures of groups `labels`, the first of which is picture number `first` of the release: that number
  /// and the mask key choose its nuisance. Throws DataError naming the row. `advance` counts done pictures.
  std::vector<std::vector<std::byte>> pictures(std::uint64_t first, std::span<const std::int64_t> labels,
                                               const std::function<void(std::size_t)>& advance);

 private:
  torch::Tensor codes_of_rows(std::span<const std::uint64_t> rows);

  const Store& source_;
  const Store& nuisance_;
  FaceMae& model_;
  torch::Device device_;
  CodeReleaseConfig config_;
  std::map<std::int64_t, std::vector<std::uint64_t>> groups_;
  std::map<std::int64_t, torch::Tensor> codes_;
};

}  // namespace facemae
