#pragma once
// Runs one job at a time on a thread beside the main thread, so that slow storage does not hold up a step.
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace facemae {

/// To be used from one thread. A job may hang in a system call for ever, so the destructor asks it to stop,
/// waits a moment and then leaves it behind: whatever a job works on must be owned by the job.
class BackgroundJob {
 public:
  using Job = std::function<void(std::stop_token)>;

  BackgroundJob();
  ~BackgroundJob();
  BackgroundJob(const BackgroundJob&) = delete;
  BackgroundJob& operator=(const BackgroundJob&) = delete;

  void start(Job job);  ///< no other job may be running; the first call creates the thread
  bool busy() const;
  bool wait_for(std::chrono::milliseconds limit) const;  ///< true when no job is running any more
  void ask_to_stop();                                    ///< sets the job's stop token
  /// What the last job threw, or "". The next call returns "".
  std::string take_failure();

 private:
  struct State;
  static void run_jobs(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace facemae
