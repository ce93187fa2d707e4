#pragma once
// NCCL and CUDA's streams that do nothing but take notes and answer as they are told.
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cluster/nccl/gpu_streams.h"
#include "cluster/nccl/nccl_api.h"

namespace facemae::test {

using Log = std::vector<std::string>;

struct FakeNccl {
  Log* log;
  nccl::Code init_answer = nccl::kSuccess, call_answer = nccl::kSuccess, id_answer = nccl::kSuccess;
  nccl::Code finalize_answer = nccl::kSuccess;
  int polls_until_done = 0;           // how often get_async_error says kInProgress
  nccl::Code state = nccl::kSuccess;  // and what it says afterwards
  std::atomic<int> polls = 0, aborts = 0;

  nccl::Code note(const std::string& what, nccl::Code answer) {
    log->push_back(what);
    return answer;
  }
  nccl::Api api() {
    nccl::Api api;
    api.unique_id = [this](nccl::UniqueId&) { return note("unique_id", id_answer); };
    api.init = [this](nccl::Comm& comm, int, const nccl::UniqueId&, int) {
      comm = this;
      return note("init", init_answer);
    };
    api.all_reduce = [this](const void*, void*, std::size_t count, nccl::Type type, nccl::Op op, nccl::Comm,
                            void*) {
      return note("all_reduce " + std::to_string(count) + " type " + std::to_string(int(type)) + " op " +
                      std::to_string(int(op)),
                  call_answer);
    };
    api.all_gather = [this](const void*, void*, std::size_t, nccl::Type, nccl::Comm, void*) {
      return note("all_gather", call_answer);
    };
    api.reduce_scatter = [this](const void*, void*, std::size_t, nccl::Type, nccl::Op, nccl::Comm, void*) {
      return note("reduce_scatter", call_answer);
    };
    api.broadcast = [this](void*, std::size_t, nccl::Type, int, nccl::Comm, void*) {
      return note("broadcast", call_answer);
    };
    api.get_async_error = [this](nccl::Comm, nccl::Code& answer) {
      answer = polls++ < polls_until_done ? nccl::kInProgress : state;
      return nccl::kSuccess;
    };
    api.abort = [this](nccl::Comm) {
      ++aborts;
      return note("abort", nccl::kSuccess);
    };
    api.finalize = [this](nccl::Comm) { return note("finalize", finalize_answer); };
    api.destroy = [this](nccl::Comm) { return note("destroy", nccl::kSuccess); };
    api.text = [](nccl::Code code) { return "code " + std::to_string(code); };
    return api;
  }
};

struct FakeStreams final : GpuStreams {
  struct Note final : Event {
    std::string of;
  };
  explicit FakeStreams(Log* notes) : log(notes) { use_device(); }
  torch::Device device() const noexcept override { return torch::kCPU; }
  void use_device() override {
    const std::lock_guard lock(mutex);
    prepared.insert(std::this_thread::get_id());
  }
  static std::string name(c10::Stream stream) { return stream.id() == 0 ? "current" : "communication"; }
  c10::Stream current() override { return c10::Stream(c10::Stream::UNSAFE, torch::kCPU, 0); }
  c10::Stream communication() override { return c10::Stream(c10::Stream::UNSAFE, torch::kCPU, 1); }
  void* native(c10::Stream) override { return this; }
  std::shared_ptr<Event> record(c10::Stream stream) override {
    auto event = std::make_shared<Note>();
    event->of = name(stream);
    return event;
  }
  void wait(c10::Stream stream, Event& event) override {
    log->push_back(name(stream) + " waits for " + static_cast<Note&>(event).of);
  }
  bool finished(Event&) override {
    const std::lock_guard lock(mutex);
    unprepared = unprepared || !prepared.contains(std::this_thread::get_id());
    return all_finished;
  }
  void keep(const torch::Tensor&, c10::Stream stream) override { log->push_back("keep for " + name(stream)); }
  Log* log;
  std::atomic<bool> all_finished = false;
  std::mutex mutex;
  std::set<std::thread::id> prepared;  ///< threads that have chosen the device; the one that made this has
  bool unprepared = false;             ///< another thread asked for an event
};

}  // namespace facemae::test
