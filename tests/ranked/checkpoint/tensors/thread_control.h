#pragma once
// Ranks as threads of one process, so that one test can save with W ranks and load with W'.
#include <barrier>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/host/control.h"

namespace facemae::test {

/// What the ranks of one world share.
struct ThreadWorld {
  explicit ThreadWorld(int ranks) : size(ranks), meeting(ranks), texts(static_cast<std::size_t>(ranks)) {}
  int size;
  std::barrier<> meeting;
  std::vector<std::string> texts;
};

class ThreadControl final : public Control {
 public:
  ThreadControl(ThreadWorld& world, int rank) : world_(world), rank_(rank) {}
  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return world_.size; }
  std::string broadcast(std::string from_root, int root) override {
    return exchange(from_root).at(static_cast<std::size_t>(root));
  }
  std::vector<std::string> gather(const std::string& mine, int root) override {
    auto all = exchange(mine);
    return rank_ == root ? all : std::vector<std::string>{};
  }
  std::uint64_t any_of(std::uint64_t mask) override {
    std::uint64_t any = 0;
    for (const auto& text : exchange(std::to_string(mask))) any |= std::stoull(text);
    return any;
  }
  void barrier(std::chrono::milliseconds) override { exchange(""); }

 private:
  std::vector<std::string> exchange(const std::string& mine) {
    world_.texts[static_cast<std::size_t>(rank_)] = mine;
    world_.meeting.arrive_and_wait();
    auto all = world_.texts;
    world_.meeting.arrive_and_wait();
    return all;
  }
  ThreadWorld& world_;
  int rank_;
};

/// Runs `rank_main` on `ranks` threads. It must communicate alike on all ranks; the first
/// exception is thrown again.
inline void run_ranks(int ranks, const std::function<void(Control&)>& rank_main) {
  ThreadWorld world(ranks);
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(ranks));
  {
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<std::size_t>(ranks));
    for (int rank = 0; rank < ranks; ++rank)
      threads.emplace_back([&, rank] {
        ThreadControl control(world, rank);
        try {
          rank_main(control);
        } catch (...) {
          failures[static_cast<std::size_t>(rank)] = std::current_exception();
        }
      });
  }
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace facemae::test
