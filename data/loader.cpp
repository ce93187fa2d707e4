#include "data/loader.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "data/image.h"

namespace facemae {
namespace {

/// A micro-batch in the making. Slots are claimed under the pipeline's mutex and filled without it: no two
/// threads ever write the same bytes.
struct Job {
  std::unique_ptr<ByteBatch> batch;
  std::size_t claimed = 0, finished = 0;
  std::size_t bad_slot = std::numeric_limits<std::size_t>::max();  ///< the first in order that failed
  std::exception_ptr failure;

  bool ready() const { return finished == batch->size(); }
};

void check(const Store* store, const Order& order, const BatchPlan& plan, int rank,
           const LoaderConfig& config) {
  if (!store) throw ConfigError("loader: no store was given");
  if (store->size() == 0 || order.rows() != store->size()) {
    throw ConfigError(fmt::format("loader: the order is over {} rows, the store {} has {}", order.rows(),
                                  store->folder().string(), store->size()));
  }
  if (config.threads < 1 || config.ahead < 1) {
    throw ConfigError(fmt::format("loader: {} threads and {} batches ahead: both must be at least 1",
                                  config.threads, config.ahead));
  }
  if (plan.global_batch < 1 || plan.micro_batches < 1 || rank < 0 || rank >= plan.world) {
    throw ConfigError(fmt::format("loader: rank {} of {}, global batch {} in {} micro-batches is impossible",
                                  rank, plan.world, plan.global_batch, plan.micro_batches));
  }
}

}  // namespace

struct Loader::Pipeline {
  Pipeline(std::shared_ptr<const Store> store_, Order order_, BatchPlan plan_, int rank_,
           std::uint64_t first_step_, LoaderConfig config_)
      : store(std::move(store_)),
        order(order_),
        plan(plan_),
        rank(rank_),
        first_step(first_step_),
        config(config_) {}

  /// Takes the next unclaimed slot, opening a new micro-batch when the ring has room. Null: the loader is
  /// ending.
  std::shared_ptr<Job> claim(std::size_t& slot) {
    std::unique_lock lock(mutex);
    for (;;) {
      if (stopping) return nullptr;
      for (const auto& job : ring) {
        if (job->claimed < job->batch->size()) {
          slot = job->claimed++;
          return job;
        }
      }
      if (ring.size() < static_cast<std::size_t>(config.ahead)) {
        try {
          ring.push_back(open());
        } catch (...) {  // out of memory: next() says so
          broken = std::current_exception();
          stopping = true;
        }
        // Others may take slots of it too; an empty one is ready at once.
        work.notify_all();
        done.notify_all();
      } else {
        work.wait(lock);
      }
    }
  }

  std::shared_ptr<Job> open() {
    auto job = std::make_shared<Job>();
    job->batch = spare ? std::move(spare) : std::make_unique<ByteBatch>();
    ByteBatch& batch = *job->batch;
    const auto micros = static_cast<std::uint64_t>(plan.micro_batches);
    batch.step = first_step + opened / micros;
    batch.micro = static_cast<int>(opened % micros);
    batch.image = store->image_size();
    batch.ordinals = plan.ordinals(batch.step, batch.micro, rank);
    const std::size_t n = batch.ordinals.size();
    batch.rows.resize(n);
    batch.labels.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      batch.rows[i] = order.row(batch.ordinals[i]);
      batch.labels[i] = store->label(batch.rows[i]);
    }
    batch.pixels.resize(n * image_bytes());
    ++opened;
    return job;
  }

  std::size_t image_bytes() const {
    const auto side = static_cast<std::size_t>(store->image_size());
    return side * side * 3;
  }

  void fill(ByteBatch& batch, std::size_t slot, Decoder& decoder, std::vector<std::byte>& encoded) const {
    store->read(batch.rows[slot], encoded);
    const std::span<std::uint8_t> out(batch.pixels.data() + slot * image_bytes(), image_bytes());
    try {
      decoder.decode_into(encoded, batch.image, batch.image, out);
    } catch (const DataError& error) {
      throw DataError(fmt::format("decoding row {} of {} (ordinal {}): {}", batch.rows[slot],
                                  store->folder().string(), batch.ordinals[slot], error.what()));
    }
  }

  void work_loop(Decoder& decoder) {
    std::vector<std::byte> encoded;
    std::size_t slot = 0;
    while (const auto job = claim(slot)) {
      std::exception_ptr failure;
      try {
        fill(*job->batch, slot, decoder, encoded);
      } catch (...) {
        failure = std::current_exception();
      }
      const std::scoped_lock lock(mutex);
      if (failure && slot < job->bad_slot) {
        job->bad_slot = slot;
        job->failure = failure;
      }
      if (++job->finished == job->batch->size()) done.notify_all();
    }
  }

  std::unique_ptr<ByteBatch> next(std::unique_ptr<ByteBatch> recycle) {
    const auto start = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex);
    if (recycle) spare = std::move(recycle);
    done.wait(lock, [this] { return broken || (!ring.empty() && ring.front()->ready()); });
    waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (broken) std::rethrow_exception(broken);
    // A failed batch stays in front: every further call says the same.
    if (ring.front()->failure) std::rethrow_exception(ring.front()->failure);
    auto batch = std::move(ring.front()->batch);
    ring.pop_front();
    work.notify_all();
    return batch;
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex);
      stopping = true;
    }
    work.notify_all();
    for (auto& thread : threads) thread.join();
  }

  const std::shared_ptr<const Store> store;
  const Order order;
  const BatchPlan plan;
  const int rank;
  const std::uint64_t first_step;
  const LoaderConfig config;

  std::mutex mutex;
  std::condition_variable work, done;  ///< slots to claim; a batch became ready
  std::deque<std::shared_ptr<Job>> ring;
  std::unique_ptr<ByteBatch> spare;
  std::uint64_t opened = 0;
  double waited = 0;
  bool stopping = false;
  std::exception_ptr broken;      ///< a batch could not even be opened
  std::vector<Decoder> decoders;  ///< one per thread, made before any thread starts: making one may throw
  std::vector<std::thread> threads;
};

Loader::Loader(std::shared_ptr<const Store> store, Order order, BatchPlan plan, int rank,
               std::uint64_t first_step, LoaderConfig config) {
  check(store.get(), order, plan, rank, config);
  pipeline_ = std::make_unique<Pipeline>(std::move(store), order, plan, rank, first_step, config);
  Pipeline& p = *pipeline_;
  p.decoders.reserve(static_cast<std::size_t>(config.threads));
  p.threads.reserve(static_cast<std::size_t>(config.threads));
  for (int i = 0; i < config.threads; ++i) p.decoders.emplace_back();
  try {
    for (Decoder& decoder : p.decoders) p.threads.emplace_back([&p, &decoder] { p.work_loop(decoder); });
  } catch (...) {  // out of threads: the destructor will not run
    p.stop();
    throw;
  }
}

Loader::~Loader() { pipeline_->stop(); }

std::unique_ptr<ByteBatch> Loader::next(std::unique_ptr<ByteBatch> recycle) {
  return pipeline_->next(std::move(recycle));
}

double Loader::wait_seconds() const noexcept {
  const std::scoped_lock lock(pipeline_->mutex);
  return std::exchange(pipeline_->waited, 0.0);
}

}  // namespace facemae
