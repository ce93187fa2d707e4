#include "tests/rehearsal/wire.h"

#include <mpi.h>
#include <torch/torch.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/rehearsal/device.h"

namespace facemae::rehearsal {
namespace {

using Bytes = std::vector<std::byte>;
constexpr nccl::Code kRemoteError = 6, kInvalidUsage = 5;

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
  return torch::kUInt8;
}

std::size_t bytes_of(std::size_t count, nccl::Type type) {
  return count * c10::elementSize(scalar_type(type));
}

/// Of the ranks' parts, each `count` values at `stride` bytes from the last, in the order of the ranks.
void reduce(const Bytes& parts, std::size_t stride, std::size_t offset, std::size_t count, nccl::Type type,
            nccl::Op op, void* out) {
  const torch::NoGradGuard no_grad;
  const auto part = [&](std::size_t at) {
    return torch::from_blob(const_cast<std::byte*>(parts.data() + at), {static_cast<std::int64_t>(count)},
                            scalar_type(type));
  };
  auto total = part(offset).clone();
  for (std::size_t at = offset + stride; at < parts.size(); at += stride) {
    if (op == nccl::Op::Sum) total.add_(part(at));
    if (op == nccl::Op::Min) total = torch::minimum(total, part(at));
    if (op == nccl::Op::Max) total = torch::maximum(total, part(at));
  }
  std::memcpy(out, total.data_ptr(), total.nbytes());
}

}  // namespace

struct Wire::Impl : std::enable_shared_from_this<Wire::Impl> {
  struct Job {
    Gates before;  ///< what its stream was given earlier
    std::shared_ptr<Gate> done = std::make_shared<Gate>();
    const void* in;
    std::size_t bytes;
    std::function<void(const Bytes& of_ranks)> then;
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
  MPI_Comm ranks = MPI_COMM_NULL;
  int size = 1;

  nccl::Code init(nccl::Comm& comm, int ranks_there) {
    MPI_Comm_dup(MPI_COMM_WORLD, &ranks);
    MPI_Comm_size(ranks, &size);
    if (size != ranks_there) return kInvalidUsage;
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

  nccl::Code issue(const char* verb, const void* in, std::size_t bytes, nccl::Stream stream,
                   std::function<void(const Bytes&)> then) {
    const auto& at = *static_cast<const c10::Stream*>(stream);
    Job job{.before = pending(at), .in = in, .bytes = bytes, .then = std::move(then), .fault = Fault::None};
    hold(at, {job.done});
    {
      const std::lock_guard lock(mutex);
      job.fault = fault;
      ++traffic[verb].calls;
      traffic[verb].bytes += static_cast<std::int64_t>(bytes);
      jobs.push_back(std::move(job));
    }
    wake.notify_all();
    return in_progress();
  }

  void carry_out() {
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

  /// All there is over MPI: the bytes of every rank, on every rank.
  void exchange(const Job& job) {
    const auto* const begin = static_cast<const std::byte*>(job.in);
    const Bytes own(begin, begin + job.bytes);
    Bytes of_ranks(job.bytes * static_cast<std::size_t>(size));
    MPI_Allgather(own.data(), static_cast<int>(job.bytes), MPI_BYTE, of_ranks.data(),
                  static_cast<int>(job.bytes), MPI_BYTE, ranks);
    const std::lock_guard lock(mutex);
    if (!given_up) job.then(of_ranks);  // else the memory may be gone
  }

  nccl::Code ask(nccl::Code& answer) {
    const std::lock_guard lock(mutex);
    answer = state != nccl::kSuccess ? state : polls-- > 0 ? nccl::kInProgress : nccl::kSuccess;
    return nccl::kSuccess;
  }

  /// What is in flight ends as it is.
  nccl::Code abort() {
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
    {
      std::unique_lock lock(mutex);
      leave = true;
      wake.notify_all();
      wake.wait(lock, [&] { return left; });
    }
    MPI_Comm_free(&ranks);
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

void Wire::reset_traffic() {
  const std::lock_guard lock(impl_->mutex);
  impl_->traffic.clear();
}

nccl::Api Wire::api() const {
  const auto wire = impl_;
  nccl::Api api;
  api.unique_id = [](nccl::UniqueId&) { return nccl::kSuccess; };
  api.init = [wire](nccl::Comm& comm, int size, const nccl::UniqueId&, int) {
    return wire->init(comm, size);
  };
  api.all_reduce = [wire](const void* in, void* out, std::size_t count, nccl::Type type, nccl::Op op,
                          nccl::Comm, nccl::Stream stream) {
    const auto bytes = bytes_of(count, type);
    return wire->issue("all_reduce", in, bytes, stream,
                       [=](const Bytes& parts) { reduce(parts, bytes, 0, count, type, op, out); });
  };
  api.all_gather = [wire](const void* in, void* out, std::size_t count, nccl::Type type, nccl::Comm,
                          nccl::Stream stream) {
    return wire->issue("all_gather", in, bytes_of(count, type), stream,
                       [=](const Bytes& parts) { std::memcpy(out, parts.data(), parts.size()); });
  };
  api.reduce_scatter = [wire](const void* in, void* out, std::size_t count, nccl::Type type, nccl::Op op,
                              nccl::Comm, nccl::Stream stream) {
    int rank = 0;
    MPI_Comm_rank(wire->ranks, &rank);
    const auto slice = bytes_of(count, type), whole = slice * static_cast<std::size_t>(wire->size);
    return wire->issue("reduce_scatter", in, whole, stream, [=](const Bytes& parts) {
      reduce(parts, whole, slice * static_cast<std::size_t>(rank), count, type, op, out);
    });
  };
  api.broadcast = [wire](void* data, std::size_t count, nccl::Type type, int root, nccl::Comm,
                         nccl::Stream stream) {
    const auto bytes = bytes_of(count, type);
    return wire->issue("broadcast", data, bytes, stream, [=](const Bytes& parts) {
      std::memcpy(data, parts.data() + bytes * static_cast<std::size_t>(root), bytes);
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
