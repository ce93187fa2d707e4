#include "trainer/rebuild/rebuild.h"

#include <torch/torch.h>

#include <algorithm>

namespace facemae {

std::vector<std::vector<std::byte>> rebuild_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                                 FaceMae& model, torch::Device device,
                                                 const RebuildConfig& config,
                                                 const std::function<void(std::size_t)>& advance) {
  torch::NoGradGuard no_grad;
  std::vector<std::vector<std::byte>> rebuilt;
  for (std::size_t at = 0; at < rows.size(); at += config.batch) {
    const std::size_t count = std::min(config.batch, rows.size() - at);
    const auto faces = masked_faces(source, std::span(rows).subspan(at, count), model, device, config);
    const auto latent = model->encode(faces.images, faces.mask);
    append_encoded(model->unpatchify(model->decode(latent, faces.mask)), config, rebuilt);
    advance(count);
  }
  return rebuilt;
}

}  // namespace facemae
