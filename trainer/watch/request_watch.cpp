#include "trainer/watch/request_watch.h"

#include <condition_variable>
#include <mutex>

#include "core/clock.h"
#include "core/log.h"
#include "trainer/files/requests.h"

namespace facemae {

RequestWatch::RequestWatch(const Path& run, std::chrono::milliseconds every, FileSystem& files)
    : run_(run), seen_(std::make_shared<Seen>()), job_(std::make_unique<BackgroundJob>()) {
  job_->start([run, every, &files, seen = seen_](const std::stop_token& ending) {
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock lock(mutex);
    do look(run, files, *seen);
    while (!ended.wait_for(lock, ending, every, [&] { return ending.stop_requested(); }));
  });
}

void RequestWatch::look(const Path& run, FileSystem& files, Seen& seen) {
  seen.stop = asked(run, Request::Stop).has_value();
  if (seen.answered.exchange(false)) {
    try {
      files.remove(file_of(run, Request::Save));
    } catch (const std::exception& error) {
      spdlog::warn("{}", error.what());
    }
  }
  seen.save = asked(run, Request::Save).has_value();
  const auto end = end_of_job(run);
  const auto left = std::chrono::seconds(end.value_or(0) - epoch_seconds());
  seen.end = end ? (Clock::now() + left).time_since_epoch().count() : 0;
}

std::string RequestWatch::who() const { return stop() ? asked(run_, Request::Stop).value_or("") : ""; }

void RequestWatch::saved() {
  if (!seen_) return;
  seen_->save = false;
  seen_->answered = true;
}

std::optional<RequestWatch::Clock::time_point> RequestWatch::end() const {
  const auto end = seen_ ? seen_->end.load() : 0;
  return end == 0 ? std::nullopt : std::optional(Clock::time_point(Clock::duration(end)));
}

}  // namespace facemae
