#include "core/background_job.h"

#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace facemae {

struct BackgroundJob::State {
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  Job job;  ///< to be started
  bool busy = false, end = false, ended = false;
  std::stop_source stop;
  std::string failure;
  std::thread thread;
};

namespace {

std::string failure_of(const BackgroundJob::Job& job, const std::stop_token& stop) {
  try {
    job(stop);
    return "";
  } catch (const std::exception& error) {
    const std::string what = error.what();
    return what.empty() ? "unknown failure" : what;
  } catch (...) {
    return "unknown failure";
  }
}

/// Static objects stay until the process is gone: a thread that was left behind may still use them.
void end_at_once(int code, void*) {
  std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace

/// The thread's whole life. It shares the state by ownership, so that it can be left behind.
void BackgroundJob::run_jobs(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  while (true) {
    state->changed.wait(lock, [&] { return state->end || state->job; });
    if (!state->job) break;
    const Job job = std::exchange(state->job, nullptr);
    const std::stop_token stop = state->stop.get_token();
    lock.unlock();
    std::string failure = failure_of(job, stop);
    lock.lock();
    state->failure = std::move(failure);
    state->busy = false;
    state->changed.notify_all();
  }
  state->ended = true;
  state->changed.notify_all();
}

BackgroundJob::BackgroundJob() : state_(std::make_shared<State>()) {}

BackgroundJob::~BackgroundJob() {
  if (!state_->thread.joinable()) return;
  constexpr auto kGrace = std::chrono::seconds(5);
  bool ended = false;
  {
    std::unique_lock lock(state_->mutex);
    state_->end = true;
    state_->stop.request_stop();
    state_->changed.notify_all();
    ended = state_->changed.wait_for(lock, kGrace, [&] { return state_->ended; });
  }
  if (ended) {
    state_->thread.join();
  } else {
    state_->thread.detach();
    ::on_exit(end_at_once, nullptr);
  }
}

void BackgroundJob::start(Job job) {
  if (!state_->thread.joinable()) state_->thread = std::thread([state = state_] { run_jobs(state); });
  const std::lock_guard lock(state_->mutex);
  state_->job = std::move(job);
  state_->busy = true;
  state_->failure.clear();
  state_->stop = std::stop_source();
  state_->changed.notify_all();
}

bool BackgroundJob::busy() const {
  const std::lock_guard lock(state_->mutex);
  return state_->busy;
}

bool BackgroundJob::wait_for(std::chrono::milliseconds limit) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, limit, [&] { return !state_->busy; });
}

void BackgroundJob::ask_to_stop() {
  const std::lock_guard lock(state_->mutex);
  state_->stop.request_stop();
}

std::string BackgroundJob::take_failure() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->failure, "");
}

}  // namespace facemae
