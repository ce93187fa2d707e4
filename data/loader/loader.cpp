#include "data/loader/loader.h"

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "data/loader/bad_images.h"
#include "data/loader/block_cache.h"

namespace facemae {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void check(const Store* store, const Order& order, const BatchPlan& plan, int rank,
           const LoaderConfig& config) {
  if (!store) throw ConfigError("loader: no store was given");
  if (store->size() == 0 || order.rows() != store->size()) {
    throw ConfigError(fmt::format("loader: the order covers {} rows, but the store {} has {}", order.rows(),
                                  store->folder().string(), store->size()));
  }
  if (config.threads < 1 || config.ahead < 1) {
    throw ConfigError(fmt::format("loader: {} threads and {} batches ahead: both must be at least 1",
                                  config.threads, config.ahead));
  }
  if (config.sample.format == PixelFormat::Yuv420 &&
      (config.sample.augment.any() || store->image_size() % 2 != 0)) {
    throw ConfigError(
        "loader: planes (--decode yuv420) need images with an even side and no augmentation but the flip");
  }
  if (plan.global_batch < 1 || plan.micro_batches < 1 || rank < 0 || rank >= plan.world) {
    throw ConfigError(fmt::format("loader: rank {} of {}, global batch {} in {} micro-batches is impossible",
                                  rank, plan.world, plan.global_batch, plan.micro_batches));
  }
}

constexpr int kLargeSide = 512;

/// Batches take the room that the store claims, which is only a claim. Large images must be checked once.
void check_size(const Store& store) {
  if (store.image_size() <= kLargeSide) return;
  Decoder decoder;
  std::vector<std::byte> encoded;
  std::string other;
  for (const std::uint64_t row : {std::uint64_t{0}, store.size() / 2, store.size() - 1}) {
    try {
      store.read(row, encoded);
      const auto header = decoder.header(encoded);
      if (header.width == store.image_size() && header.height == store.image_size()) return;
      other = fmt::format("row {} has {} x {}", row, header.width, header.height);
    } catch (const Error&) {  // it will be met again, and reported then
    }
  }
  if (!other.empty())
    throw DataError(fmt::format("the store {} says that its images have {} pixels per side, but {}",
                                store.folder().string(), store.image_size(), other));
}

}  // namespace

struct Loader::Pipeline {
  /// A micro-batch being made. Slots are claimed under the pipeline's mutex and filled without it: no two
  /// threads ever write the same bytes.
  struct Job {
    std::unique_ptr<ByteBatch> batch;
    std::shared_ptr<const Quarantine> rows;  ///< as it was when the job was opened
    std::size_t claimed = 0, finished = 0;

    bool ready() const { return finished == batch->size(); }
  };

  Pipeline(std::shared_ptr<const Store> store_, Order order_, BatchPlan plan_, int rank_,
           std::uint64_t first_step_, LoaderConfig config_)
      : store(std::move(store_)),
        plan(plan_),
        rank(rank_),
        first_step(first_step_),
        config(std::move(config_)),
        bad(*store, config.max_bad_fraction) {
    if (order_.block() > 1 && config.block_bytes > 0)
      blocks.emplace(*store, order_.block(), config.block_bytes);
    auto known = Quarantine(std::move(order_), config.sample.seed,
                            [s = store.get()](std::uint64_t row) { return s->shard_of(row); });
    for (const Quarantined& entry : config.quarantined) known.add(entry);
    rows = std::make_shared<const Quarantine>(std::move(known));
  }

  /// Takes the next unclaimed slot, opening a new micro-batch if the ring has room. Null: the
  /// loader is ending.
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
        } catch (...) {  // out of memory: next() reports it
          fail(std::current_exception());
        }
        // Others may take slots of it, too; an empty one is ready at once.
        work.notify_all();
        done.notify_all();
      } else {
        const auto start = Clock::now();
        work.wait(lock);
        figures.full_seconds += seconds_since(start);
      }
    }
  }

  std::shared_ptr<Job> open() {
    auto job = std::make_shared<Job>();
    job->batch = spare ? std::move(spare)
                       : std::make_unique<ByteBatch>(config.pixel_memory != nullptr
                                                         ? config.pixel_memory
                                                         : std::pmr::get_default_resource());
    job->rows = rows;
    ByteBatch& batch = *job->batch;
    const auto micros = static_cast<std::uint64_t>(plan.micro_batches);
    batch.step = first_step + opened / micros;
    batch.micro = static_cast<int>(opened % micros);
    batch.image = store->image_size();
    batch.format = config.sample.format;
    batch.ordinals = plan.ordinals(batch.step, batch.micro, rank);
    const std::size_t n = batch.ordinals.size();
    batch.rows.resize(n);
    batch.labels.resize(n);
    batch.pixels.resize(n * bytes_of_image());
    batch.noise.resize(n * config.noise.values);
    ++opened;
    return job;
  }

  std::size_t bytes_of_image() const { return image_bytes(store->image_size(), config.sample.format); }

  /// The caller holds the mutex.
  void fail(std::exception_ptr why) {
    if (!broken) broken = std::move(why);
    stopping = true;
    work.notify_all();
    done.notify_all();
  }

  void work_loop(SampleReader& reader) {
    std::size_t slot = 0;
    while (const auto job = claim(slot)) {
      std::exception_ptr failure;
      try {
        ByteBatch& batch = *job->batch;
        const std::span<std::uint8_t> out(batch.pixels.data() + slot * bytes_of_image(), bytes_of_image());
        const Sample sample = reader.read(batch.ordinals[slot], *job->rows, out);
        batch.rows[slot] = sample.row;
        batch.labels[slot] = sample.label;
        if (const std::size_t values = config.noise.values; values > 0)
          config.noise.draw(batch.ordinals[slot], std::span(batch.noise).subspan(slot * values, values));
      } catch (...) {
        failure = std::current_exception();
      }
      const std::scoped_lock lock(mutex);
      figures.add(reader.take_figures());
      if (failure) fail(failure);
      if (++job->finished == job->batch->size()) done.notify_all();
    }
  }

  std::unique_ptr<ByteBatch> next(std::unique_ptr<ByteBatch> recycle) {
    const auto start = Clock::now();
    std::unique_lock lock(mutex);
    if (recycle) spare = std::move(recycle);
    const auto ready = [this] { return broken || (!ring.empty() && ring.front()->ready()); };
    for (auto patience = config.warn_after;
         !done.wait_until(lock, start + std::min(patience, config.give_up_after), ready); patience *= 2) {
      const double seconds = seconds_since(start);
      const std::string what = fmt::format(
          "waited {:.0f} s for a batch, of which {} of {} images have arrived: the storage under {} is slow or gone",
          seconds, ring.empty() ? 0 : ring.front()->finished, ring.empty() ? 0 : ring.front()->batch->size(),
          store->folder().string());
      if (seconds >= config.give_up_after.count()) throw FileError(what, ETIMEDOUT);
      spdlog::warn(what);
    }
    figures.wait_seconds += seconds_since(start);
    if (broken) std::rethrow_exception(broken);  // every further call throws the same
    auto batch = std::move(ring.front()->batch);
    ring.pop_front();
    work.notify_all();
    return batch;
  }

  bool ready() const {
    const std::scoped_lock lock(mutex);
    return !broken && !ring.empty() && ring.front()->ready();
  }

  void unread(std::unique_ptr<ByteBatch> batch) {
    auto job = std::make_shared<Job>();
    job->claimed = job->finished = batch->size();
    job->batch = std::move(batch);
    const std::scoped_lock lock(mutex);
    job->rows = rows;
    ring.push_front(std::move(job));
  }

  void quarantine(const Quarantined& entry) {
    const std::scoped_lock lock(mutex);
    const std::uint64_t step = entry.from_ordinal / plan.global_batch;
    const std::uint64_t handed_out = opened - ring.size();  // micro-batches
    if (entry.from_ordinal % plan.global_batch != 0 ||
        first_step * static_cast<std::uint64_t>(plan.micro_batches) + handed_out >
            step * static_cast<std::uint64_t>(plan.micro_batches))
      throw Error(fmt::format(
          "shard {} cannot be quarantined from ordinal {} on: batches from there on have been used already, or no step begins there",
          entry.shard, entry.from_ordinal));
    Quarantine more = *rows;
    more.add(entry);
    rows = std::make_shared<const Quarantine>(std::move(more));
    // Threads that work on dropped batches keep them alive until they are done.
    while (!ring.empty() && ring.back()->batch->step >= step) {
      ring.pop_back();
      --opened;
    }
    work.notify_all();
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
  const BatchPlan plan;
  const int rank;
  const std::uint64_t first_step;
  const LoaderConfig config;
  std::optional<BlockCache> blocks;
  BadImages bad;

  mutable std::mutex mutex;
  std::condition_variable work, done;  ///< slots to claim; a batch became ready
  std::deque<std::shared_ptr<Job>> ring;
  std::shared_ptr<const Quarantine> rows;
  std::unique_ptr<ByteBatch> spare;
  std::uint64_t opened = 0;  ///< micro-batches
  LoaderFigures figures;
  bool stopping = false;
  std::exception_ptr broken;          ///< what next() throws from now on
  std::vector<SampleReader> readers;  ///< one per thread, made before any thread starts: making one may throw
  std::vector<std::thread> threads;
};

Loader::Loader(std::shared_ptr<const Store> store, Order order, BatchPlan plan, int rank,
               std::uint64_t first_step, LoaderConfig config) {
  check(store.get(), order, plan, rank, config);
  check_size(*store);
  pipeline_ = std::make_unique<Pipeline>(std::move(store), std::move(order), plan, rank, first_step,
                                         std::move(config));
  Pipeline& p = *pipeline_;
  const auto count = static_cast<std::size_t>(p.config.threads);
  p.readers.reserve(count);
  p.threads.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    p.readers.emplace_back(*p.store, p.blocks ? &*p.blocks : nullptr, p.bad, p.config.sample);
  try {
    for (SampleReader& reader : p.readers) p.threads.emplace_back([&p, &reader] { p.work_loop(reader); });
  } catch (...) {  // out of threads: the destructor will not run
    p.stop();
    throw;
  }
}

Loader::~Loader() { pipeline_->stop(); }

std::unique_ptr<ByteBatch> Loader::next(std::unique_ptr<ByteBatch> recycle) {
  return pipeline_->next(std::move(recycle));
}

bool Loader::ready() const { return pipeline_->ready(); }

void Loader::unread(std::unique_ptr<ByteBatch> batch) { pipeline_->unread(std::move(batch)); }

LoaderFigures Loader::figures() {
  const std::scoped_lock lock(pipeline_->mutex);
  return std::exchange(pipeline_->figures, {});
}

std::vector<ShardFailure> Loader::failed_shards() { return pipeline_->bad.take_failures(); }

void Loader::quarantine(Quarantined entry) { pipeline_->quarantine(entry); }

}  // namespace facemae
