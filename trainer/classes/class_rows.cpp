#include "trainer/classes/class_rows.h"

#include <torch/torch.h>

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "core/parallel.h"
#include "trainer/classes/row_rules.h"

namespace facemae {
namespace {

/// Calls move(row, g) with the row of each gradient g [width], on all threads.
template <class Move>
void for_each_row(const ClassRows& rows, const ClassGradient& gradient, Move move) {
  constexpr std::int64_t kRowsOfAThread = 512;  // at least
  const auto values = gradient.values.contiguous();
  const auto width = rows.centres.size(1), count = values.size(0);
  assert(values.size(1) == width);
  assert(count == (gradient.rows.defined() ? gradient.rows : rows.centres).size(0));
  const auto* g = values.const_data_ptr<float>();
  const auto* at = gradient.rows.defined() ? gradient.rows.const_data_ptr<std::int64_t>() : nullptr;
  in_ranges(count, kRowsOfAThread, torch::get_num_threads(), [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      const auto row = at == nullptr ? i : at[i];
      assert(row >= 0 && row < rows.centres.size(0));
      move(static_cast<std::size_t>(row), g + i * width);
    }
  });
}

/// Some of the rows that move.
class Block {
 public:
  Block(const ClassGradient& gradient, std::int64_t begin, std::int64_t count, torch::Tensor stay)
      : gradient_(gradient.values.narrow(0, begin, count)),
        begin_(begin),
        count_(count),
        rows_(gradient.rows.defined() ? gradient.rows.narrow(0, begin, count) : torch::Tensor()),
        stay_(std::move(stay)) {}

  torch::Tensor take(const torch::Tensor& from) const {
    return rows_.defined() ? from.index_select(0, rows_) : from.narrow(0, begin_, count_);
  }
  void put(const torch::Tensor& into, const torch::Tensor& was, torch::Tensor is) const {
    if (stay_.defined()) is = torch::where(stay_, was, is);
    if (rows_.defined())
      into.index_copy_(0, rows_, is);
    else
      into.narrow(0, begin_, count_).copy_(is);
  }

  const torch::Tensor& gradient() const { return gradient_; }

 private:
  torch::Tensor gradient_;
  std::int64_t begin_, count_;
  torch::Tensor rows_, stay_;
};

void move_by_sgd(const ClassRows& rows, const Block& block, const OptimizerConfig& config, double rate) {
  const auto c = block.take(rows.centres), m = block.take(rows.first);
  const auto slope = torch::add(block.gradient(), c, config.weight_decay);
  const auto momentum = torch::add(slope, m, config.momentum);
  const auto step = config.nesterov ? torch::add(slope, momentum, config.momentum) : momentum;
  block.put(rows.centres, c, torch::sub(c, step, rate));
  block.put(rows.first, m, momentum);
}

void move_by_adamw(const ClassRows& rows, const Block& block, const OptimizerConfig& config, double rate) {
  const auto c = block.take(rows.centres), m = block.take(rows.first), v = block.take(rows.second),
             n = block.take(rows.updates);
  const auto& g = block.gradient();
  const auto updates = n + 1;
  const auto correction = [&](double beta) {
    return 1 - torch::pow(beta, updates.to(torch::kFloat64)).unsqueeze(1);
  };
  const auto step = (rate / correction(config.beta1)).to(c.scalar_type()),
             root = correction(config.beta2).sqrt().to(c.scalar_type());
  const auto first = torch::add(m * config.beta1, g, 1 - config.beta1),
             second = torch::add(v * config.beta2, g * g, 1 - config.beta2);
  block.put(rows.centres, c,
            c * (1 - rate * config.weight_decay) - step * first / (second.sqrt() / root + config.eps));
  block.put(rows.first, m, first);
  block.put(rows.second, v, second);
  block.put(rows.updates, n, updates);
}

}  // namespace

void move_rows_on_host(const ClassRows& rows, const ClassGradient& gradient, const OptimizerConfig& config,
                       double rate) {
  const auto width = static_cast<std::size_t>(rows.centres.size(1));
  auto* c = rows.centres.mutable_data_ptr<float>();
  auto* m = rows.first.mutable_data_ptr<float>();
  if (config.kind == "adamw") {
    const AdamwRule rule{rate, config.weight_decay, config.beta1, config.beta2, config.eps};
    auto* v = rows.second.mutable_data_ptr<float>();
    auto* n = rows.updates.mutable_data_ptr<std::int32_t>();
    for_each_row(rows, gradient, [&](std::size_t row, const float* g) {
      const auto at = row * width;
      rule.move(c + at, m + at, v + at, g, width, ++n[row]);
    });
    return;
  }
  const SgdRule rule{static_cast<float>(rate), static_cast<float>(config.momentum),
                     static_cast<float>(config.weight_decay), config.nesterov};
  for_each_row(rows, gradient, [&](std::size_t row, const float* g) {
    rule.move(c + row * width, m + row * width, g, width);
  });
}

void move_rows_by_operations(const ClassRows& rows, const ClassGradient& gradient,
                             const OptimizerConfig& config, double rate, const torch::Tensor& found_inf) {
  constexpr std::int64_t kRowsAtATime = 16384;
  const auto stay = found_inf.defined() ? found_inf.ne(0) : torch::Tensor();
  const auto count = gradient.values.size(0);
  for (std::int64_t begin = 0; begin < count; begin += kRowsAtATime) {
    const Block block(gradient, begin, std::min(kRowsAtATime, count - begin), stay);
    config.kind == "adamw" ? move_by_adamw(rows, block, config, rate)
                           : move_by_sgd(rows, block, config, rate);
  }
}

}  // namespace facemae
