#include "model/recognition/slopes.h"

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include <algorithm>

namespace facemae {
namespace {

using torch::Tensor;

/// Values of one piece: what is read and written of one lies in a cache.
constexpr std::int64_t kPiece = 1 << 16;

/// A dense map [B, C, H, W] as rows [n, m] that share memory with it: a row is a channel or, channels last, a pixel.
Tensor rows_of(const Tensor& map, bool channels_last) {
  return channels_last ? map.permute({0, 2, 3, 1}).view({-1, map.size(1)})
                       : map.view({map.size(0) * map.size(1), -1});
}

struct PReLUFunction : torch::autograd::Function<PReLUFunction> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& slopes) {
    context->save_for_backward({x, slopes});
    return torch::prelu(x, slopes);
  }

  /// Piece by piece, what passes over whole maps would fetch from memory again and again. A choice between two values is
  /// the slow part of LibTorch's: here it is a sum with an exact 0.
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list cotangents) {
    const auto saved = context->get_saved_variables();
    const auto format = saved[0].suggest_memory_format();
    const bool last = format == torch::MemoryFormat::ChannelsLast;
    const auto map = saved[0].contiguous(format), wanted = cotangents[0].contiguous(format);
    const auto of_map = torch::empty_like(map), of_slopes = torch::empty_like(map);
    const auto slopes = last ? saved[1].unsqueeze(0) : saved[1].repeat({map.size(0)}).unsqueeze(1);
    const auto x = rows_of(map, last), g = rows_of(wanted, last), to_x = rows_of(of_map, last),
               to_slopes = rows_of(of_slopes, last);
    const auto step = std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, x.size(1)));
    for (std::int64_t at = 0; at < x.size(0); at += step) {
      const auto rows = std::min(step, x.size(0) - at);
      const auto part = [&](const Tensor& of) { return of.narrow(0, at, rows); };
      auto of_x = part(to_x), of_slope = part(to_slopes);
      torch::threshold_backward_out(of_x, part(g), part(x), 0);                    // g where x > 0, else 0
      torch::sub_out(of_slope, part(g), of_x).mul_(last ? slopes : part(slopes));  // 0 there, else slope g
      of_x.add_(of_slope);
      torch::clamp_max_out(of_slope, part(x), 0).mul_(part(g));
    }
    return {of_map, of_slopes.sum({0, 2, 3})};
  }
};

}  // namespace

Tensor SlopesImpl::forward(const Tensor& x) {
  if (!x.is_cpu() || x.dim() != 4 || !torch::GradMode::is_enabled()) return torch::prelu(x, weight);
  const bool reduced = at::autocast::is_autocast_enabled(torch::kCPU);
  const auto type = reduced ? at::autocast::get_autocast_dtype(torch::kCPU) : x.scalar_type();
  return PReLUFunction::apply(x.to(type), weight.to(type));
}

}  // namespace facemae
