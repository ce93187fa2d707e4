#include "evaluation/linkage/false_accepts.h"

#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "core/random/keys.h"

namespace facemae {
namespace {

constexpr double kMost = 200'000;

}  // namespace

FalseAccepts false_accepts(const LinkageInput& input, float lowest, std::uint64_t count) {
  const torch::NoGradGuard no_gradients;
  FalseAccepts found;
  std::unordered_map<std::int64_t, std::int32_t> place;
  std::vector<std::int32_t> person_of_image;
  for (const std::int64_t identity : input.gallery_identity) {
    const auto [at, is_new] = place.try_emplace(identity, static_cast<std::int32_t>(place.size()));
    if (is_new) found.images_of.push_back(0);
    ++found.images_of[static_cast<std::size_t>(at->second)];
    person_of_image.push_back(at->second);
  }
  found.probes_of.resize(place.size());
  for (const std::int64_t identity : input.probe_identity) {
    found.person_of_probe.push_back(place.at(identity));
    ++found.probes_of[static_cast<std::size_t>(found.person_of_probe.back())];
  }
  found.share = std::min(1.0, kMost / std::max(1.0, static_cast<double>(count)));

  const torch::Tensor gallery = input.gallery.to(torch::kFloat32).t();
  const std::int64_t images = gallery.size(1), probes = input.probes.size(0);
  const std::int64_t block =
      std::clamp<std::int64_t>((16 << 20) / std::max<std::int64_t>(images, 1), 1, probes);
  for (std::int64_t begin = 0; begin < probes; begin += block) {
    const std::int64_t rows = std::min(block, probes - begin);
    const torch::Tensor product =
        torch::matmul(input.probes.narrow(0, begin, rows).to(torch::kFloat32), gallery).cpu().contiguous();
    const float* scores = product.const_data_ptr<float>();
    for (std::int64_t i = 0; i < rows * images; ++i) {
      if (scores[i] < lowest) continue;
      const auto probe =
          static_cast<std::int32_t>(found.person_of_probe[static_cast<std::size_t>(begin + i / images)]);
      const std::int32_t person = person_of_image[static_cast<std::size_t>(i % images)];
      if (probe == person) continue;
      Draws random(key_of(0, Purpose::Persons, static_cast<std::uint64_t>(begin * images + i)));
      if (random.uniform() < found.share) found.strongest.push_back({scores[i], probe, person});
    }
  }
  std::sort(found.strongest.begin(), found.strongest.end(),
            [](const auto& a, const auto& b) { return a.score > b.score; });
  return found;
}

double threshold_at(const FalseAccepts& strangers, double far, std::span<const double> weights) {
  double probes = 0, images = 0, own = 0;
  for (std::size_t p = 0; p < weights.size(); ++p) {
    probes += weights[p] * strangers.probes_of[p];
    images += weights[p] * strangers.images_of[p];
    own += weights[p] * weights[p] * strangers.probes_of[p] * strangers.images_of[p];
  }
  const double pairs = probes * images - own;
  if (pairs <= 0 || strangers.strongest.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double allowed = far * pairs * strangers.share;
  double accepted = 0, threshold = std::numeric_limits<double>::infinity();
  for (const FalseAccepts::Score& pair : strangers.strongest) {
    accepted +=
        weights[static_cast<std::size_t>(pair.probe)] * weights[static_cast<std::size_t>(pair.gallery)];
    if (accepted > allowed) return threshold;
    threshold = pair.score;
  }
  return threshold;
}

}  // namespace facemae
