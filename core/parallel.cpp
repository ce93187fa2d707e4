#include "core/parallel.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace facemae {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(100);

/// What the threads share.
class Pieces {
 public:
  Pieces(std::size_t count, const std::function<void(std::size_t)>& work) : count_(count), work_(work) {}

  /// One thread's part: as many pieces as it gets.
  void run() {
    std::unique_lock lock(mutex_);
    while (next_ < count_ && !failure_) {
      const std::size_t piece = next_++;
      lock.unlock();
      std::exception_ptr failure;
      try {
        work_(piece);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      ++done_;
      if (failure && piece < failed_) failure_ = failure, failed_ = piece;
    }
    ++ended_;
    moved_.notify_all();
  }

  void wait(std::size_t threads, const std::function<void(std::size_t)>& see) {
    std::unique_lock lock(mutex_);
    for (bool over = false; !over;) {
      over = moved_.wait_for(lock, kLookEvery, [&] { return ended_ == threads; });
      const std::size_t done = done_;
      lock.unlock();
      if (see) see(done);
      lock.lock();
    }
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const std::size_t count_;
  const std::function<void(std::size_t)>& work_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::size_t next_ = 0, done_ = 0, ended_ = 0, failed_ = ~std::size_t{0};
  std::exception_ptr failure_;
};

}  // namespace

void in_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
                 const std::function<void(std::size_t)>& see) {
  const std::size_t several = std::min(count, static_cast<std::size_t>(std::max(threads, 1)));
  Pieces pieces(count, work);
  {
    std::vector<std::jthread> running;
    for (std::size_t t = 0; t < several; ++t) running.emplace_back([&] { pieces.run(); });
    pieces.wait(several, see);
  }
  pieces.rethrow();
}

void in_ranges(std::int64_t count, std::int64_t least, int threads,
               const std::function<void(std::int64_t begin, std::int64_t end)>& work) {
  const std::int64_t ranges = std::min<std::int64_t>(threads, count / std::max<std::int64_t>(1, least));
  if (ranges <= 1) {
    if (count > 0) work(0, count);
    return;
  }
  const auto bound = [&](std::size_t range) { return count * static_cast<std::int64_t>(range) / ranges; };
  in_parallel(static_cast<std::size_t>(ranges), threads,
              [&](std::size_t range) { work(bound(range), bound(range + 1)); });
}

}  // namespace facemae
