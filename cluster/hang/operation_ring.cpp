#include "cluster/hang/operation_ring.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace facemae {

OperationRing::OperationRing(std::string name, std::size_t capacity)
    : name_(std::move(name)), slots_(std::max<std::size_t>(1, capacity)) {}

Operation* OperationRing::find(std::uint64_t number) {
  Operation& slot = slots_[number % slots_.size()];
  return slot.number == number ? &slot : nullptr;
}

std::uint64_t OperationRing::push(const std::string& what) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = ++pushed_;
  Operation& slot = slots_[number % slots_.size()];
  slot.number = number;
  slot.what = what;
  slot.state = OperationState::Pushed;
  slot.pushed = now;
  return number;
}

void OperationRing::start(std::uint64_t number) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  started_ = std::max(started_, number);
  if (auto* operation = find(number)) {
    operation->state = OperationState::Started;
    operation->started = now;
  }
}

void OperationRing::finish(std::uint64_t number) {
  const auto now = Clock::now();
  last_finished_ = now.time_since_epoch().count();
  const std::lock_guard lock(mutex_);
  finished_ = std::max(finished_, number);
  if (auto* operation = find(number)) {
    operation->state = OperationState::Finished;
    operation->finished = now;
  }
}

std::uint64_t OperationRing::pushed() const {
  const std::lock_guard lock(mutex_);
  return pushed_;
}

OperationRing::Snapshot OperationRing::snapshot() const {
  const std::lock_guard lock(mutex_);
  Snapshot snapshot{.name = name_, .pushed = pushed_, .started = started_, .finished = finished_, .tail = {}};
  const std::uint64_t kept = std::min<std::uint64_t>(pushed_, slots_.size());
  for (std::uint64_t number = pushed_ - kept + 1; number <= pushed_; ++number)
    snapshot.tail.push_back(slots_[number % slots_.size()]);
  return snapshot;
}

OngoingOperation::OngoingOperation(OperationRing& ring, const std::string& what)
    : ring_(ring), number_(ring.push(what)), exceptions_(std::uncaught_exceptions()) {
  ring_.start(number_);
}

OngoingOperation::~OngoingOperation() {
  if (std::uncaught_exceptions() == exceptions_) ring_.finish(number_);
}

}  // namespace facemae
