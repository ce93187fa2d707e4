#include "model/facemae/blend.h"

#include <torch/torch.h>

#include "model/common/precision.h"

namespace facemae {

torch::Tensor blend_people(const torch::Tensor& tokens, const torch::Tensor& hidden,
                           const torch::Tensor& which, const torch::Tensor& mask_token,
                           std::int64_t min_people) {
  const FullPrecision scope(tokens.device().type());
  const auto all = at_least_float(tokens);
  const auto visible = torch::cat({torch::ones({hidden.size(0), 1}, hidden.options()), 1 - hidden}, 1)
                           .to(all.scalar_type())
                           .unsqueeze(2);  // [U, 1 + N, 1]
  torch::Tensor sum, people;
  for (std::int64_t person = 0; person < which.size(1); ++person) {
    torch::Tensor own, photos;
    for (std::int64_t photo = 0; photo < which.size(2); ++photo) {
      const auto rows = which.select(1, person).select(1, photo);
      const auto kept = visible.index_select(0, rows);
      const auto seen = all.index_select(0, rows) * kept;
      own = own.defined() ? own + seen : seen;
      photos = photos.defined() ? photos + kept : kept;
    }
    const auto mean = own / photos.clamp_min(1);
    const auto shown = photos.clamp_max(1);
    sum = sum.defined() ? sum + mean : mean;
    people = people.defined() ? people + shown : shown;
  }
  return torch::where(people >= static_cast<double>(min_people), sum / people.clamp_min(1),
                      mask_token.to(all.scalar_type()));
}

}  // namespace facemae
