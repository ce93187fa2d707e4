#include "cluster/nccl/nccl_communicator.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <sstream>

#include "cluster/tensors/shapes.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

nccl::Type nccl_type(torch::ScalarType type) {
  switch (type) {
    case torch::kUInt8:
      return nccl::Type::Uint8;
    case torch::kInt32:
      return nccl::Type::Int32;
    case torch::kInt64:
      return nccl::Type::Int64;
    case torch::kHalf:
      return nccl::Type::Float16;
    case torch::kFloat32:
      return nccl::Type::Float32;
    case torch::kFloat64:
      return nccl::Type::Float64;
    case torch::kBFloat16:
      return nccl::Type::Bfloat16;
    default:
      throw Error(std::string("NCCL cannot carry tensors of type ") + torch::toString(type) +
                  "; use float32, float64, bfloat16, float16, int32, int64 or uint8");
  }
}

nccl::Op nccl_op(Reduce op) {
  return op == Reduce::Sum ? nccl::Op::Sum : op == Reduce::Min ? nccl::Op::Min : nccl::Op::Max;
}

/// Between two looks at something that takes a moment, or very long.
void pause(int looks) {
  if (looks < 1000) {
    std::this_thread::yield();
  } else {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

std::size_t count_of(const torch::Tensor& tensor) { return static_cast<std::size_t>(tensor.numel()); }

}  // namespace

NcclCommunicator::NcclCommunicator(nccl::Api api, std::shared_ptr<GpuStreams> streams, Control& control,
                                   Options options)
    : api_(std::move(api)),
      streams_(std::move(streams)),
      options_(options),
      rank_(control.rank()),
      size_(control.size()) {
  nccl::UniqueId id;
  nccl::Code code = nccl::kSuccess;
  if (rank_ == 0) code = api_.unique_id(id);
  const auto sent =
      control.broadcast(code == nccl::kSuccess ? std::string(id.bytes.data(), id.bytes.size()) : "");
  if (sent.size() != id.bytes.size())
    throw PeerLost("starting NCCL: rank 0 could not make a unique id" +
                   (rank_ == 0 ? ": " + api_.text(code) : std::string()) + "; check NCCL_SOCKET_IFNAME");
  std::memcpy(id.bytes.data(), sent.data(), sent.size());
  {
    const std::lock_guard lock(mutex_);
    settle("joining " + std::to_string(size_) + " ranks", api_.init(comm_, size_, id, rank_));
  }
  if (options_.watch_every.count() > 0)
    watcher_ = std::jthread([this](const std::stop_token& stop) {
      try {
        streams_->use_device();
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        lose(std::string("NCCL: the device failed: ") + error.what());
      }
      std::mutex mutex;
      std::condition_variable_any wake;
      std::unique_lock lock(mutex);
      while (!wake.wait_for(lock, stop, options_.watch_every, [&] { return stop.stop_requested(); })) watch();
    });
}

NcclCommunicator::~NcclCommunicator() {
  watcher_ = {};  // stops and joins
  abort();
}

void NcclCommunicator::throw_if_lost() const {
  if (!lost_.empty()) throw PeerLost(lost_);
  if (ended_) throw PeerLost("NCCL: a collective was called after the communicator was closed");
}

void NcclCommunicator::lose(const std::string& reason) noexcept {
  if (lost_.empty()) lost_ = reason;
  if (ended_ || comm_ == nullptr) return;
  ended_ = true;
  in_flight_.clear();
  try {
    api_.abort(comm_);
  } catch (...) {  // a table that throws: there is nothing left to abort
  }
}

void NcclCommunicator::settle(const std::string& what, nccl::Code code) {
  const auto deadline = Clock::now() + options_.deadline;
  for (int polls = 0; code == nccl::kInProgress; ++polls) {
    if (give_up_) {
      lose("NCCL: " + what + " was aborted by this rank");
      throw_if_lost();
    }
    if (Clock::now() >= deadline) {
      lose("NCCL: " + what + " was still in progress after " +
           human_seconds(std::chrono::duration<double>(options_.deadline).count()) +
           "; a rank is lost or did not enter it; see the logs of the other ranks");
      throw_if_lost();
    }
    pause(polls);
    const nccl::Code asked = api_.get_async_error(comm_, code);
    if (asked != nccl::kSuccess) code = asked;
  }
  if (code == nccl::kSuccess) return;
  lose("NCCL: " + what + " failed: " + api_.text(code) + "; NCCL_DEBUG=INFO tells more");
  throw_if_lost();
}

template <class Enqueue>
Work NcclCommunicator::submit(std::string what, std::initializer_list<torch::Tensor> tensors,
                              Enqueue enqueue) {
  if ((*tensors.begin()).numel() == 0) return {};
  const std::lock_guard lock(mutex_);
  throw_if_lost();
  const auto stream = streams_->communication();
  streams_->wait(stream, *streams_->record(streams_->current()));
  const auto number = operations_->push(what);
  operations_->start(number);
  settle(what, enqueue(streams_->native(stream)));
  for (const auto& tensor : tensors) streams_->keep(tensor, stream);
  auto end = streams_->record(stream);
  in_flight_.push_back({std::move(what), number, end, Clock::now()});
  return Work([this, end] {
    const std::lock_guard guard(mutex_);
    throw_if_lost();
    streams_->wait(streams_->current(), *end);
  });
}

Work NcclCommunicator::all_reduce(torch::Tensor tensor, Reduce op) {
  check_tensor(tensor, device(), "all_reduce");
  const auto type = nccl_type(tensor.scalar_type());
  return submit(describe("all_reduce", tensor), {tensor}, [&](nccl::Stream stream) {
    return api_.all_reduce(tensor.data_ptr(), tensor.data_ptr(), count_of(tensor), type, nccl_op(op), comm_,
                           stream);
  });
}

Work NcclCommunicator::all_gather(torch::Tensor out, torch::Tensor in) {
  check_parts(out, in, size_, device(), "all_gather");
  const auto type = nccl_type(in.scalar_type());
  return submit(describe("all_gather", in), {in, out}, [&](nccl::Stream stream) {
    return api_.all_gather(in.data_ptr(), out.data_ptr(), count_of(in), type, comm_, stream);
  });
}

Work NcclCommunicator::reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) {
  check_parts(in, out, size_, device(), "reduce_scatter");
  const auto type = nccl_type(out.scalar_type());
  return submit(describe("reduce_scatter", out), {out, in}, [&](nccl::Stream stream) {
    return api_.reduce_scatter(in.data_ptr(), out.data_ptr(), count_of(out), type, nccl_op(op), comm_,
                               stream);
  });
}

Work NcclCommunicator::broadcast(torch::Tensor tensor, int root) {
  check_tensor(tensor, device(), "broadcast");
  check_root(root, size_);
  const auto type = nccl_type(tensor.scalar_type());
  return submit(describe("broadcast", tensor), {tensor}, [&](nccl::Stream stream) {
    return api_.broadcast(tensor.data_ptr(), count_of(tensor), type, root, comm_, stream);
  });
}

void NcclCommunicator::abort() noexcept {
  give_up_ = true;  // a call that polls sees this and lets go of the mutex
  const std::lock_guard lock(mutex_);
  if (!ended_) lose("NCCL: aborted by this rank");
}

void NcclCommunicator::watch() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || ended_) return;  // whoever holds it polls with a deadline of its own
  look();
  if (!lost_.empty()) spdlog::error("{}", lost_);
}

void NcclCommunicator::check() {
  for (int looks = 0;; ++looks) {
    {
      const std::lock_guard lock(mutex_);
      if (!ended_) look();  // the watcher may not have come round yet
      throw_if_lost();
      if (in_flight_.empty()) return;
    }
    pause(looks);
  }
}

void NcclCommunicator::check_known() {
  const std::lock_guard lock(mutex_);
  if (!ended_) look();
  throw_if_lost();
}

void NcclCommunicator::look() noexcept {
  try {
    while (!in_flight_.empty() && streams_->finished(*in_flight_.front().end)) {
      operations_->finish(in_flight_.front().number);
      in_flight_.pop_front();
      last_end_ = Clock::now();
    }
    nccl::Code state = nccl::kSuccess;
    const nccl::Code asked = api_.get_async_error(comm_, state);
    if (asked != nccl::kSuccess) state = asked;
    if (state != nccl::kSuccess && state != nccl::kInProgress) {
      lose("NCCL: an asynchronous error" +
           (in_flight_.empty() ? std::string() : " while " + in_flight_.front().what + " was in flight") +
           ": " + api_.text(state) + "; a rank or a link is lost");
    } else if (!in_flight_.empty() &&
               Clock::now() >= std::max(in_flight_.front().issued, last_end_) + options_.deadline) {
      const auto& stuck = in_flight_.front();
      lose("NCCL: collective #" + std::to_string(stuck.number) + " (" + stuck.what +
           ") did not finish within " +
           human_seconds(std::chrono::duration<double>(options_.deadline).count()) +
           "; a rank is lost or did not enter it; see the logs of the other ranks");
    }
  } catch (const std::exception& error) {  // a CUDA error in a query: the device is lost
    lose(std::string("NCCL: the device failed: ") + error.what());
  }
}

void NcclCommunicator::close() {
  watcher_ = {};
  const std::lock_guard lock(mutex_);
  throw_if_lost();
  in_flight_.clear();
  settle("finalizing", api_.finalize(comm_));
  ended_ = true;
  const nccl::Code code = api_.destroy(comm_);
  if (code != nccl::kSuccess && code != nccl::kInProgress)
    throw PeerLost("NCCL: destroying the communicator failed: " + api_.text(code));
}

}  // namespace facemae
