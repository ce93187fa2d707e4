#pragma once
// A thread that does one job at a time beside the main thread: slow storage must not hold up a step.
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace facemae {

/// Used by one thread. A job may be stuck in a system call for ever, so the destructor asks it to stop, waits
/// a moment and then leaves it behind: what a job works on must be owned by the job.
class BackgroundJob {
 public:
  using Job = std::function<void(std::stop_token)>;

  BackgroundJob();
  ~BackgroundJob();
  BackgroundJob(const BackgroundJob&) = delete;
  BackgroundJob& operator=(const BackgroundJob&) = delete;

  void start(Job job);  ///< no other job may be running; the first one makes the thread
  bool busy() const;
  bool wait_for(std::chrono::milliseconds limit) const;  ///< true when none is running any more
  void ask_to_stop();                                    ///< sets the job's stop token
  /// What the last job threw, or "". The next call returns "".
  std::string take_failure();

 private:
  struct State;
  static void run_jobs(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace facemae
