#include "trainer/tasks/recognition_draws.h"

#include <torch/torch.h>

#include <vector>

#include "core/random/keys.h"
#include "model/common/keyed_uniforms.h"
#include "model/common/sent.h"

namespace facemae {

NoiseConfig RecognitionDraws::noise() const {
  if (!margins_ && !network_) return {};
  return {.values = static_cast<std::size_t>(margins_) + static_cast<std::size_t>(network_),
          .draw = [seed = seed_, margins = margins_, network = network_](std::uint64_t ordinal,
                                                                         std::span<double> out) {
            if (margins) out.front() = Draws(key_of(seed, Purpose::Margin, ordinal)).normal();
            if (network) out.back() = static_cast<double>(row_key(key_of(seed, Purpose::Network, ordinal)));
          }};
}

torch::Tensor RecognitionDraws::drawn(const Faces& faces, std::int64_t which) const {
  if (faces.noise.defined()) return faces.noise.select(1, which);
  const NoiseConfig config = noise();
  std::vector<double> all, own(config.values);
  for (const auto ordinal : faces.ordinals) {
    config.draw(ordinal, own);
    all.push_back(own[static_cast<std::size_t>(which)]);
  }
  return sent(torch::tensor(all, torch::kFloat64), faces.images.device());
}

torch::Tensor RecognitionDraws::margins(const Faces& faces) const {
  return margins_ ? drawn(faces, 0).to(torch::kFloat32) : torch::Tensor();
}

torch::Tensor RecognitionDraws::keys(const Faces& faces) const {
  return network_ ? drawn(faces, margins_ ? 1 : 0).to(torch::kInt64) : torch::Tensor();
}

}  // namespace facemae
