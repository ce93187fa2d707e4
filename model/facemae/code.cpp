#include "model/facemae/code.h"

#include <torch/torch.h>

#include "model/common/precision.h"

namespace facemae {

torch::Tensor codes_of(FaceMaeImpl& model, const torch::Tensor& latent) {
  const FullPrecision scope(latent.device().type());
  const auto cls = at_least_float(model.embed_for_decoder(at_least_float(latent)).select(1, 0));
  const auto codes = model.code_in->forward(cls);
  return codes / codes.norm(2, /*dim=*/1, /*keepdim=*/true).clamp_min(1);
}

torch::Tensor tokens_of_codes(FaceMaeImpl& model, const torch::Tensor& codes, const Nuisance& nuisance) {
  const FullPrecision scope(codes.device().type());
  const auto pictures = codes.size(0), width = model.mask_token.size(2), patches = model.config.patches();
  const auto tokens = at_least_float(nuisance.tokens).narrow(1, 1, nuisance.kept.size(1)) *
                      nuisance.shown.to(codes.options()).reshape({pictures, 1, 1});
  const auto places = nuisance.kept.unsqueeze(2).expand_as(tokens);
  const auto shown = torch::zeros({pictures, patches, width}, tokens.options()).scatter(1, places, tokens);
  return torch::cat({model.code_out->forward(codes).unsqueeze(1), shown + model.mask_token}, 1);
}

torch::Tensor decode_codes(FaceMaeImpl& model, const torch::Tensor& latent, const Masked& mask) {
  const Nuisance none{.tokens = model.embed_for_decoder(latent),
                      .kept = mask.kept,
                      .shown = torch::zeros({latent.size(0)}, latent.options())};
  return model.decode_tokens(tokens_of_codes(model, codes_of(model, latent), none));
}

double nuisance_ratio(std::int64_t patches) {
  return 1 - 2.5 / static_cast<double>(patches);  // half a patch from where rounding would keep one
}

}  // namespace facemae
