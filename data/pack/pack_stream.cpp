#include "data/pack/pack_stream.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

namespace facemae {
namespace {

using Streamed = ImageSource::Streamed;
using Take = std::function<void(std::uint64_t, PreparedImage)>;

struct Stopped {};

PreparedImage checked(ImageChecker& checker, Streamed& image) {
  if (!image.reject.empty()) return {{}, 0, "cannot be read: " + image.reject};
  return checker.check(std::move(image.bytes));
}

/// Images between the reader and the threads that check them. The reader helps when it is full.
class Checking {
 public:
  Checking(int image_size, bool resize, int threads, const Take& take)
      : image_size_(image_size),
        resize_(resize),
        most_(static_cast<std::size_t>(threads) * 4),
        take_(take),
        own_(image_size, resize) {
    for (int t = 1; t < threads; ++t) helpers_.emplace_back([this] { help(); });
  }
  ~Checking() { end(); }
  Checking(const Checking&) = delete;
  Checking& operator=(const Checking&) = delete;

  void add(Streamed image) {
    {
      const std::lock_guard lock(mutex_);
      if (failure_) std::rethrow_exception(failure_);
      if (!helpers_.empty() && waiting_.size() < most_) {
        waiting_.push_back(std::move(image));
        there_is_work_.notify_one();
        return;
      }
    }
    finish(own_, image);
  }

  /// Checks what is still waiting; throws what a helper threw.
  void drain() {
    while (auto image = next(false)) finish(own_, *image);
    end();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  /// Lets the helpers finish what they have; what is still waiting is dropped.
  void end() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      waiting_.clear();
    }
    there_is_work_.notify_all();
    helpers_.clear();
  }

  std::optional<Streamed> next(bool wait) {
    std::unique_lock lock(mutex_);
    if (wait) there_is_work_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
    if (waiting_.empty()) return std::nullopt;
    std::optional<Streamed> image(std::move(waiting_.front()));
    waiting_.pop_front();
    return image;
  }

  void finish(ImageChecker& checker, Streamed& image) {
    auto prepared = checked(checker, image);
    const std::lock_guard lock(taking_);
    take_(image.entry, std::move(prepared));
  }

  void help() {
    try {
      ImageChecker checker(image_size_, resize_);
      while (auto image = next(true)) finish(checker, *image);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  int image_size_;
  bool resize_;
  std::size_t most_;
  const Take& take_;
  ImageChecker own_;
  std::mutex mutex_, taking_;
  std::condition_variable there_is_work_;
  std::deque<Streamed> waiting_;
  std::exception_ptr failure_;
  bool ended_ = false;
  std::vector<std::jthread> helpers_;
};

}  // namespace

bool stream_archive(const ImageSource& source, std::size_t archive, int image_size, bool resize, int threads,
                    const Take& take, const std::function<bool()>& go_on) {
  Checking checking(image_size, resize, threads, take);
  try {
    source.stream(archive, [&](Streamed image) {
      checking.add(std::move(image));
      if (!go_on()) throw Stopped();
    });
  } catch (const Stopped&) {
    return false;
  }
  checking.drain();
  return true;
}

}  // namespace facemae
