#include "trainer/apply/triptych.h"

#include <torch/torch.h>

#include <algorithm>

#include "model/common/pixels.h"
#include "model/facemae/code.h"

namespace facemae {

Image picture_grid(const std::vector<torch::Tensor>& columns) {
  constexpr int gap = 4;
  const auto rows = columns.front().size(0);
  const int height = static_cast<int>(columns.front().size(2)),
            width = static_cast<int>(columns.front().size(3));
  Image grid{.width = static_cast<int>(columns.size()) * (width + gap) + gap,
             .height = static_cast<int>(rows) * (height + gap) + gap,
             .pixels = {}};
  grid.pixels.assign(static_cast<std::size_t>(grid.width) * static_cast<std::size_t>(grid.height) * 3, 255);
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const auto bytes = to_bytes(columns[column]);
    const std::size_t line = static_cast<std::size_t>(width) * 3;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int y = 0; y < height; ++y) {
        const auto* from = bytes.data() + (static_cast<std::size_t>(row) * static_cast<std::size_t>(height) +
                                           static_cast<std::size_t>(y)) *
                                              line;
        const auto at_y = static_cast<std::size_t>(row * (height + gap) + gap + y);
        const auto at_x = column * static_cast<std::size_t>(width + gap) + gap;
        std::copy_n(from, line,
                    grid.pixels.begin() + static_cast<std::ptrdiff_t>(
                                              (at_y * static_cast<std::size_t>(grid.width) + at_x) * 3));
      }
    }
  }
  return grid;
}

Image triptych(FaceMae& model, const torch::Tensor& images, const Masked& mask, bool normalised) {
  torch::NoGradGuard no_grad;
  const auto patches = model->patchify(images);
  const auto latent = model->encode(images, mask);
  auto rebuilt = (model->config.code > 0 ? decode_codes(*model, latent, mask) : model->decode(latent, mask))
                     .to(torch::kFloat32);
  if (normalised)
    rebuilt =
        rebuilt * (patches.var(2, /*unbiased=*/true, /*keepdim=*/true) + 1e-6).sqrt() + patches.mean(2, true);
  return triptych(model, images, mask, rebuilt);
}

Image triptych(const FaceMae& model, const torch::Tensor& images, const Masked& mask,
               const torch::Tensor& rebuilt) {
  const auto visible = model->patchify(images) * (1 - mask.hidden).unsqueeze(2);  // hidden: mid grey
  return picture_grid({images, model->unpatchify(visible), model->unpatchify(rebuilt).clamp(-1, 1)});
}

}  // namespace facemae
