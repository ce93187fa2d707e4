#include "model/facemae/face_mae.h"

#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "model/common/named_draws.h"
#include "model/common/recomputed.h"
#include "model/common/state.h"
#include "model/facemae/positions.h"

namespace facemae {
namespace {

void check(const FaceMaeConfig& c) {
  std::string fault;
  if (c.patch <= 0 || c.image <= 0 || c.image % c.patch != 0)
    fault = fmt::format("a patch of {} pixels does not divide an image of {}", c.patch, c.image);
  else if (c.width <= 0 || c.width % 4 != 0 || c.decoder_width <= 0 || c.decoder_width % 4 != 0)
    fault = fmt::format("widths {} and {} must be multiples of 4", c.width, c.decoder_width);
  else if (c.heads <= 0 || c.width % c.heads != 0 || c.decoder_heads <= 0 ||
           c.decoder_width % c.decoder_heads != 0)
    fault = fmt::format("{} heads must divide the width {}, and {} the decoder's {}", c.heads, c.width,
                        c.decoder_heads, c.decoder_width);
  else if (c.depth < 0 || c.decoder_depth < 0)
    fault = fmt::format("depths {} and {} must not be negative", c.depth, c.decoder_depth);
  if (!fault.empty()) throw ConfigError("building FaceMAE: " + fault + "; change the model's options.");
}

/// The patches `kept` [B, K] of images [B, 3, H, W] as [B, K, channel * row * column], without a copy of the others.
torch::Tensor patches_at(const torch::Tensor& kept, const torch::Tensor& images, std::int64_t patch) {
  const auto batch = images.size(0), grid = images.size(2) / patch;
  const auto patches =
      images.reshape({batch, 3, grid, patch, grid, patch}).permute({0, 2, 4, 1, 3, 5});  // a view
  const auto image = torch::arange(batch, kept.options()).unsqueeze(1);
  return patches.index({image, kept.div(grid, "floor"), kept.remainder(grid)}).flatten(2);
}

/// Xavier-uniform of a weight seen as [first dimension, the rest] (Glorot and Bengio 2010).
double xavier_bound(const torch::Tensor& weight) {
  const auto out = weight.size(0), in = weight.numel() / out;
  return std::sqrt(6.0 / static_cast<double>(in + out));
}

}  // namespace

PatchEmbedImpl::PatchEmbedImpl(std::int64_t patch, std::int64_t width) {
  proj = register_module("proj", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, width, patch).stride(patch)));
}

FaceMaeImpl::FaceMaeImpl(const FaceMaeConfig& c) : config(c) {
  check(c);
  const auto grid = c.image / c.patch;
  cls_token = register_parameter("cls_token", torch::zeros({1, 1, c.width}));
  pos_embed = register_parameter("pos_embed", sincos_positions(c.width, grid), /*requires_grad=*/false);
  mask_token = register_parameter("mask_token", torch::zeros({1, 1, c.decoder_width}));
  decoder_pos_embed = register_parameter("decoder_pos_embed", sincos_positions(c.decoder_width, grid),
                                         /*requires_grad=*/false);
  patch_embed = register_module("patch_embed", PatchEmbed(c.patch, c.width));
  blocks = register_module("blocks", torch::nn::ModuleList());
  for (int i = 0; i < c.depth; ++i) blocks->push_back(VitBlock(c.width, c.heads));
  norm = register_module("norm", layer_norm(c.width));
  decoder_embed = register_module("decoder_embed", torch::nn::Linear(c.width, c.decoder_width));
  decoder_blocks = register_module("decoder_blocks", torch::nn::ModuleList());
  for (int i = 0; i < c.decoder_depth; ++i)
    decoder_blocks->push_back(VitBlock(c.decoder_width, c.decoder_heads));
  decoder_norm = register_module("decoder_norm", layer_norm(c.decoder_width));
  decoder_pred = register_module("decoder_pred", torch::nn::Linear(c.decoder_width, c.patch_values()));
  if (c.code == 0) return;
  const auto linear = [](std::int64_t in, std::int64_t out) {
    return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false));
  };
  code_in = register_module("code_in", linear(c.decoder_width, c.code));
  code_out = register_module("code_out", linear(c.code, c.decoder_width));
}

void FaceMaeImpl::initialise(std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state_of(*this)) {
    torch::Tensor weight = tensor;
    if (!weight.requires_grad()) continue;  // the fixed position tables
    const Draws draws = draws_of(seed, name);
    if (name == "cls_token" || name == "mask_token")
      fill_normal(weight, 0.02, draws);
    else if (name == "patch_embed.proj.bias")  // which the official code leaves at the convolution's default
      fill_uniform(weight, 1 / std::sqrt(static_cast<double>(config.patch_values())), draws);
    else if (weight.dim() > 1)
      fill_uniform(weight, xavier_bound(weight), draws);
    else
      weight.fill_(name.ends_with(".weight") ? 1 : 0);  // norms 1 and 0; linear biases 0
  }
}

torch::Tensor FaceMaeImpl::run(const torch::nn::ModuleList& list, torch::Tensor tokens) const {
  for (const auto& module : *list) {
    const VitBlock block(std::static_pointer_cast<VitBlockImpl>(module));
    const auto forward = [block](const torch::Tensor& x) { return block.ptr()->forward(x); };
    tokens =
        config.activation_checkpointing ? recomputed(forward, block->parameters(), tokens) : forward(tokens);
  }
  return tokens;
}

torch::Tensor FaceMaeImpl::encode(const torch::Tensor& images, const Masked& mask) {
  const auto batch = images.size(0), side = static_cast<std::int64_t>(config.image);
  if (images.dim() != 4 || images.size(1) != 3 || images.size(2) != side || images.size(3) != side)
    throw ConfigError(fmt::format("encoding images of shape [{}]: this model takes [B, 3, {}, {}].",
                                  fmt::join(images.sizes(), ", "), side, side));
  // Only kept patches are projected: a stride equal to the kernel makes the convolution a product with each
  // patch. Its weight is channel, row, column.
  const auto weight = patch_embed->proj->weight.reshape({config.width, config.patch_values()});
  const auto places = pos_embed[0].index_select(0, mask.kept.flatten() + 1);  // behind that of cls
  const auto embedded = torch::nn::functional::linear(patches_at(mask.kept, images, config.patch), weight,
                                                      patch_embed->proj->bias) +
                        places.view({batch, mask.kept.size(1), config.width});
  const auto cls = (cls_token + pos_embed.narrow(1, 0, 1)).expand({batch, 1, config.width});
  return norm->forward(run(blocks, torch::cat({cls, embedded}, 1)));
}

torch::Tensor FaceMaeImpl::decode(const torch::Tensor& latent, const Masked& mask) {
  return decode_tokens(decoder_tokens(latent, mask));
}

torch::Tensor FaceMaeImpl::decoder_tokens(const torch::Tensor& latent, const Masked& mask) {
  const auto tokens = embed_for_decoder(latent);
  const auto batch = tokens.size(0), kept = tokens.size(1) - 1, width = tokens.size(2),
             patches = mask.restore.size(1);
  const auto empty = mask_token.to(tokens.scalar_type()).expand({batch, patches - kept, width});
  const auto shuffled = torch::cat({tokens.narrow(1, 1, kept), empty}, 1);
  return torch::cat({tokens.narrow(1, 0, 1), reordered(shuffled, mask.restore)}, 1);
}

torch::Tensor FaceMaeImpl::decode_tokens(const torch::Tensor& tokens) {
  const auto decoded = decoder_norm->forward(run(decoder_blocks, tokens + decoder_pos_embed));
  return decoder_pred->forward(decoded).narrow(1, 1, tokens.size(1) - 1).to(torch::kFloat32);
}

torch::Tensor FaceMaeImpl::patchify(const torch::Tensor& images) const {
  const std::int64_t p = config.patch, grid = config.image / config.patch;
  return images.reshape({images.size(0), 3, grid, p, grid, p})
      .permute({0, 2, 4, 3, 5, 1})
      .reshape({images.size(0), grid * grid, config.patch_values()});
}

torch::Tensor FaceMaeImpl::unpatchify(const torch::Tensor& patches) const {
  const std::int64_t p = config.patch, grid = config.image / config.patch;
  return patches.reshape({patches.size(0), grid, grid, p, p, 3})
      .permute({0, 5, 1, 3, 2, 4})
      .reshape({patches.size(0), 3, grid * p, grid * p});
}

}  // namespace facemae
