#include "trainer/run/decisions.h"

#include <torch/torch.h>

#include <array>
#include <span>
#include <utility>

#include "core/failpoint.h"
#include "trainer/run/saves.h"

namespace facemae {
namespace {

/// What hosts vote on, as numbers of a tensor: the greatest of all ranks' is the vote.
constexpr std::array kAsked = {Vote{.stop = true}, Vote{.shard_failed = true}, Vote{.saving = Saves::kBusy},
                               Vote{.saving = Saves::kDue}};
constexpr std::int64_t kFlags = static_cast<std::int64_t>(kAsked.size());

torch::Tensor numbers_of(const Vote& own, torch::Device device) {
  auto flags = torch::empty({kFlags}, torch::TensorOptions().pinned_memory(!device.is_cpu()));
  for (std::int64_t i = 0; i < kFlags; ++i)
    flags.data_ptr<float>()[i] = (own.bits() & kAsked[static_cast<std::size_t>(i)].bits()) != 0 ? 1 : 0;
  return flags.to(device, /*non_blocking=*/true);
}

Vote vote_of(std::span<const double> flags) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kAsked.size(); ++i)
    if (flags[i] > 0) bits |= kAsked[i].bits();
  return Vote::of(bits);
}

}  // namespace

void Decisions::see(const torch::Tensor& finite, const torch::Tensor& norm) {
  broken_ = finite.logical_not().to(torch::kFloat32).reshape({1});
  norm_ = norm.to(torch::kFloat32).reshape({1});
  if (!late_)
    known_ = {.vote = {.not_finite = broken_.item<float>() > 0}, .gradient_norm = norm_.item<double>()};
}

void Decisions::cast(std::uint64_t step, Vote own) {
  failpoint("loop.vote");
  if (late_) {
    const torch::Tensor flags = torch::cat({broken_, numbers_of(own, ranks_.device())});
    ranks_.all_reduce(flags, Reduce::Max).wait();
    skipped_ = flags[0];
    pending_.push_back({step, Reading(torch::cat({flags, norm_}))});
    return;
  }
  ranks_.check();
  known_->step = step;
  own.not_finite = known_->vote.not_finite;
  known_->vote = Vote::of(control_.any_of(own.bits()));
  skipped_ = torch::full({}, known_->vote.not_finite ? 1.F : 0.F, broken_.options());
}

std::optional<Decision> Decisions::next(bool settle) {
  if (!late_) return std::exchange(known_, std::nullopt);
  if (pending_.empty() || (pending_.size() == 1 && !settle)) return std::nullopt;
  const auto numbers = pending_.front().numbers.values();
  settle&& pending_.size() == 1 ? ranks_.check() : ranks_.check_known();
  Decision decision{.step = pending_.front().step,
                    .vote = vote_of(std::span(numbers).subspan(1, kAsked.size())),
                    .gradient_norm = numbers.back()};
  decision.vote.not_finite = numbers.front() > 0;
  pending_.pop_front();
  return decision;
}

}  // namespace facemae
