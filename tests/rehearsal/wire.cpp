#include "tests/rehearsal/wire.h"

#include <torch/torch.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "cluster/mpi/mpi_communicator.h"
#include "core/error.h"
#include "tests/rehearsal/device.h"

namespace facemae::rehearsal {
namespace {

constexpr nccl::Code kRemoteError = 6;
constexpr auto kPatience = std::chrono::hours(1);  // deadlines are the product's

torch::ScalarType scalar_type(nccl::Type type) {
  switch (type) {
    case nccl::Type::Uint8:
      return torch::kUInt8;
    case nccl::Type::Int32:
      return torch::kInt32;
    case nccl::Type::Int64:
      return torch::kInt64;
    case nccl::Type::Float16:
      return torch::kHalf;
    case nccl::Type::Float32:
      return torch::kFloat32;
    case nccl::Type::Float64:
      return torch::kFloat64;
    case nccl::Type::Bfloat16:
      return torch::kBFloat16;
  }
  throw Error("NCCL was handed a type that it does not have");
}

Reduce reduction(nccl::Op op) {
  return op == nccl::Op::Sum ? Reduce::Sum : op == nccl::Op::Min ? Reduce::Min : Reduce::Max;
}

/// A copy in host memory: what it is a copy of may go away meanwhile.
torch::Tensor copy_of(const void* data, std::size_t count, nccl::Type type) {
  return torch::from_blob(const_cast<void*>(data), {static_cast<std::int64_t>(count)}, scalar_type(type))
      .clone();
}

}  // namespace

struct Wire::Impl : std::enable_shared_from_this<Wire::Impl> {
  using Work = std::function<torch::Tensor(Communicator& ranks)>;  ///< gives what is to be left in `out`
  struct Job {
    Gates before;  ///< what its stream was given earlier
    std::shared_ptr<Gate> done = std::make_shared<Gate>();
    void* out;
    Work work;
    Fault fault;
  };

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Job> jobs;  ///< the first is being carried out
  nccl::Code state = nccl::kSuccess;
  int polls = 0;                     ///< that still answer "in progress"
  bool given_up = false;             ///< aborted
  bool leave = false, left = false;  ///< the thread is to end, has ended
  Fault fault = Fault::None;
  std::map<std::string, Traffic> traffic;
  std::optional<MpiCommunicator> ranks;  ///< the same sums as on CPUs, to the last bit

  nccl::Code init(nccl::Comm& comm) {
    ranks.emplace("stand-in", kPatience);
    comm = this;
    // Not joined after an abort: it may wait in MPI for a rank that is lost.
    std::thread([self = shared_from_this()] { self->carry_out(); }).detach();
    return in_progress();
  }

  /// NCCL may say so of any call: every one here does, for a few polls.
  nccl::Code in_progress() {
    const std::lock_guard lock(mutex);
    polls = 2;
    return nccl::kInProgress;
  }

  nccl::Code issue(const char* verb, std::size_t count, nccl::Type type, void* out, nccl::Stream stream,
                   Work work) {
    const auto& at = *static_cast<const c10::Stream*>(stream);
    Job job{.before = pending(at), .out = out, .work = std::move(work), .fault = Fault::None};
    hold(at, {job.done});
    {
      const std::lock_guard lock(mutex);
      job.fault = fault;
      ++traffic[verb].calls;
      traffic[verb].bytes += static_cast<std::int64_t>(count * c10::elementSize(scalar_type(type)));
      jobs.push_back(std::move(job));
    }
    wake.notify_all();
    return in_progress();
  }

  void carry_out() {
    const torch::NoGradGuard no_grad;
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return leave || !jobs.empty(); });
      if (leave) break;
      const Job job = jobs.front();
      lock.unlock();
      for (const auto& gate : job.before) gate->wait();
      if (job.fault == Fault::None) exchange(job);
      lock.lock();
      if (job.fault == Fault::Stuck) wake.wait(lock, [&] { return leave; });
      if (leave) break;
      jobs.pop_front();
      job.done->open();
      wake.notify_all();
    }
    left = true;
    wake.notify_all();
  }

  void exchange(const Job& job) {
    try {
      const torch::Tensor result = job.work(*ranks);
      const std::lock_guard lock(mutex);
      if (!given_up) std::memcpy(job.out, result.data_ptr(), result.nbytes());  // else the memory may be gone
    } catch (const PeerLost&) {
      const std::lock_guard lock(mutex);
      state = kRemoteError;
    }
  }

  nccl::Code ask(nccl::Code& answer) {
    const std::lock_guard lock(mutex);
    answer = state != nccl::kSuccess ? state : polls-- > 0 ? nccl::kInProgress : nccl::kSuccess;
    return nccl::kSuccess;
  }

  /// What is in flight ends as it is.
  nccl::Code abort() {
    if (ranks) ranks->abort();
    const std::lock_guard lock(mutex);
    given_up = leave = true;
    for (const auto& job : jobs) job.done->open();
    jobs.clear();
    wake.notify_all();
    return nccl::kSuccess;
  }

  nccl::Code finalize() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return jobs.empty(); });
    polls = 2;
    return nccl::kInProgress;
  }

  nccl::Code destroy() {
    std::unique_lock lock(mutex);
    leave = true;
    wake.notify_all();
    wake.wait(lock, [&] { return left; });
    return nccl::kSuccess;
  }
};

Wire::Wire() : impl_(std::make_shared<Impl>()) {}
Wire::~Wire() = default;

void Wire::fail(Fault fault) const {
  const std::lock_guard lock(impl_->mutex);
  impl_->fault = fault;
}

void Wire::tell() const {
  const std::lock_guard lock(impl_->mutex);
  impl_->state = kRemoteError;
}

std::map<std::string, Traffic> Wire::traffic() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->traffic;
}

nccl::Api Wire::api() const {
  const auto wire = impl_;
  nccl::Api api;
  api.unique_id = [](nccl::UniqueId&) { return nccl::kSuccess; };
  api.init = [wire](nccl::Comm& comm, int, const nccl::UniqueId&, int) { return wire->init(comm); };
  api.all_reduce = [wire](const void* in, void* out, std::size_t count, nccl::Type type, nccl::Op op,
                          nccl::Comm, nccl::Stream stream) {
    return wire->issue("all_reduce", count, type, out, stream, [=](Communicator& ranks) {
      auto values = copy_of(in, count, type);
      ranks.all_reduce(values, reduction(op)).wait();
      return values;
    });
  };
  api.all_gather = [wire](const void* in, void* out, std::size_t count, nccl::Type type, nccl::Comm,
                          nccl::Stream stream) {
    return wire->issue("all_gather", count, type, out, stream, [=](Communicator& ranks) {
      const auto own = copy_of(in, count, type);
      auto all = torch::empty({own.numel() * ranks.size()}, own.options());
      ranks.all_gather(all, own).wait();
      return all;
    });
  };
  api.reduce_scatter = [wire](const void* in, void* out, std::size_t count, nccl::Type type, nccl::Op op,
                              nccl::Comm, nccl::Stream stream) {
    const auto whole = count * static_cast<std::size_t>(wire->ranks->size());
    return wire->issue("reduce_scatter", whole, type, out, stream, [=](Communicator& ranks) {
      const auto all = copy_of(in, whole, type);
      auto own = torch::empty({static_cast<std::int64_t>(count)}, all.options());
      ranks.reduce_scatter(own, all, reduction(op)).wait();
      return own;
    });
  };
  api.broadcast = [wire](void* data, std::size_t count, nccl::Type type, int root, nccl::Comm,
                         nccl::Stream stream) {
    return wire->issue("broadcast", count, type, data, stream, [=](Communicator& ranks) {
      auto values = copy_of(data, count, type);
      ranks.broadcast(values, root).wait();
      return values;
    });
  };
  api.get_async_error = [wire](nccl::Comm, nccl::Code& state) { return wire->ask(state); };
  api.abort = [wire](nccl::Comm) { return wire->abort(); };
  api.finalize = [wire](nccl::Comm) { return wire->finalize(); };
  api.destroy = [wire](nccl::Comm) { return wire->destroy(); };
  api.text = [](nccl::Code code) { return "code " + std::to_string(code); };
  return api;
}

}  // namespace facemae::rehearsal
