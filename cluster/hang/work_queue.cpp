#include "cluster/hang/work_queue.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace facemae {

using Clock = std::chrono::steady_clock;

class WorkQueue::Job {
 public:
  std::string what;
  std::uint64_t number = 0;   // of the operation
  std::function<void()> run;  // owned by the thread once the job has begun
  bool done = false;
  std::exception_ptr failure;
};

struct WorkQueue::State {
  std::string name;
  std::chrono::milliseconds limit;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Handle> waiting;
  Handle running;
  bool stop = false, ended = false;
  std::exception_ptr failure;  // set once; everything fails from then on
  std::shared_ptr<OperationRing> operations;
  Clock::time_point last_finished = Clock::now();

  void fail_locked(const std::exception_ptr& reason) {
    if (!failure) failure = reason;
    if (running && !running->done) finish_locked(*running, failure);
    for (auto& job : waiting) finish_locked(*job, failure);
    waiting.clear();
    changed.notify_all();
  }
  static void finish_locked(Job& job, std::exception_ptr reason) {
    job.done = true;
    job.failure = std::move(reason);
  }
};

class WorkThread {
 public:
  explicit WorkThread(std::function<void()> body) : thread_(std::move(body)) {}
  std::thread thread_;
};

namespace {

/// Runs jobs until told to stop. Only touches what the state owns: the queue itself may be gone.
template <class State>
void run_jobs(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  while (true) {
    state->changed.wait(lock, [&] { return state->stop || !state->waiting.empty(); });
    if (state->stop) break;
    state->running = std::move(state->waiting.front());
    state->waiting.pop_front();
    auto job = state->running;
    lock.unlock();
    state->operations->start(job->number);
    std::exception_ptr failure;
    try {
      job->run();
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) state->operations->finish(job->number);
    job->run = nullptr;  // releases the tensors outside of the lock
    lock.lock();
    state->running.reset();
    state->last_finished = Clock::now();
    if (!job->done) state->finish_locked(*job, failure);
    if (failure) state->fail_locked(failure);  // after one failed collective the ranks are out of step
    state->changed.notify_all();
  }
  state->ended = true;
  state->changed.notify_all();
}

}  // namespace

WorkQueue::WorkQueue(std::string name, std::chrono::milliseconds limit) : state_(std::make_shared<State>()) {
  state_->operations = std::make_shared<OperationRing>(name);
  state_->name = std::move(name);
  state_->limit = limit;
  thread_ = std::make_unique<WorkThread>([state = state_] { run_jobs(state); });
}

WorkQueue::~WorkQueue() {
  constexpr auto kGrace = std::chrono::seconds(1);
  std::deque<Handle> dropped;
  bool ended = false;
  {
    std::unique_lock lock(state_->mutex);
    state_->stop = true;
    dropped.swap(state_->waiting);
    state_->changed.notify_all();
    ended = state_->changed.wait_for(lock, kGrace, [&] { return state_->ended; });
  }
  if (ended) {
    thread_->thread_.join();
  } else {
    thread_->thread_.detach();
  }
}

WorkQueue::Handle WorkQueue::push(std::string what, std::function<void()> run) {
  auto job = std::make_shared<Job>();
  job->what = std::move(what);
  job->run = std::move(run);
  const std::lock_guard lock(state_->mutex);
  if (state_->failure) std::rethrow_exception(state_->failure);
  job->number = state_->operations->push(job->what);
  state_->waiting.push_back(job);
  state_->changed.notify_all();
  return job;
}

void WorkQueue::wait(const Handle& job) {
  std::unique_lock lock(state_->mutex);
  const auto began = Clock::now();
  while (!job->done) {
    const auto deadline = std::max(began, state_->last_finished) + state_->limit;
    if (state_->changed.wait_until(lock, deadline, [&] { return job->done; })) break;
    if (Clock::now() < std::max(began, state_->last_finished) + state_->limit)
      continue;  // an earlier job finished
    const auto& stuck = state_->running ? state_->running : job;
    state_->fail_locked(std::make_exception_ptr(PeerLost(
        "communicator '" + state_->name + "': collective #" + std::to_string(stuck->number) + " (" +
        stuck->what + ") did not finish within " +
        human_seconds(std::chrono::duration<double>(state_->limit).count()) +
        (stuck == job ? ""
                      : ", and #" + std::to_string(job->number) + " (" + job->what + ") waits behind it") +
        "; a rank is lost or did not enter it; see the logs of the other ranks")));
  }
  if (job->failure) std::rethrow_exception(job->failure);
}

void WorkQueue::drain() {
  Handle last;
  {
    const std::lock_guard lock(state_->mutex);
    last = state_->waiting.empty() ? state_->running : state_->waiting.back();
  }
  if (last) wait(last);
}

void WorkQueue::fail(const std::string& reason) noexcept {
  try {
    const std::lock_guard lock(state_->mutex);
    state_->fail_locked(std::make_exception_ptr(PeerLost("communicator '" + state_->name + "': " + reason)));
  } catch (...) {  // no memory: the deadline will fail the waiters
  }
}

std::shared_ptr<const OperationRing> WorkQueue::operations() const { return state_->operations; }

}  // namespace facemae
