#include "data/loader/replicas.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "core/files/folder_lock.h"
#include "core/files/temporary_file.h"
#include "core/log.h"

namespace facemae {

Replicas::Replicas(ReplicaPlan plan, Copy copy, Use use)
    : plan_(std::move(plan)), copy_(std::move(copy)), use_(std::move(use)) {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    try {
      run(stop);
    } catch (const std::exception& error) {
      spdlog::warn("giving up the copies in {}, the rest is read from the store: {}", plan_.folder.string(),
                   error.what());
    }
  });
}

bool Replicas::take(std::size_t shard) {
  const Path file = plan_.folder / plan_.files[shard];
  try {
    use_(shard, file);
    return true;
  } catch (const FileError& error) {
    spdlog::warn("the copy {} cannot be used, its shard is read from the store: {}", file.string(),
                 error.what());
    return false;
  }
}

void Replicas::copy_all(const std::vector<std::size_t>& missing, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  std::size_t used = 0;
  int failed_in_row = 0;
  for (const std::size_t shard : missing) {
    try {
      copy_(shard, stop);
    } catch (const DataError& error) {
      spdlog::warn("shard {} is not copied to {}: {}", shard, plan_.folder.string(), error.what());
      continue;
    } catch (const FileError& error) {
      const bool full = error.code() == ENOSPC || error.code() == EDQUOT;
      if (full || ++failed_in_row == 3) throw;
      spdlog::warn("shard {} is not copied to {}: {}", shard, plan_.folder.string(), error.what());
      continue;
    }
    failed_in_row = 0;
    if (stop.stop_requested()) return;
    used += take(shard) ? 1 : 0;
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  spdlog::info("{} of {} shards are read from {} (copied and checked in {:.0f} s)", used, missing.size(),
               plan_.folder.string(), spent.count());
}

void Replicas::run(const std::stop_token& stop) {
  std::vector<std::size_t> missing = plan_.sequence;
  std::mutex mutex;
  std::condition_variable_any stopped;
  bool told = false;
  while (!missing.empty()) {
    if (const auto lock = copy_ ? FolderLock::if_free(plan_.folder, {.thing = "the folder of copies",
                                                                     .work = "copying shards",
                                                                     .otherwise = "use another --local-dir"})
                                : nullptr) {
      remove_temporaries(plan_.folder);
      return copy_all(missing, stop);
    }
    if (copy_ && !std::exchange(told, true))
      spdlog::info("another job is making the copies in {}: {}", plan_.folder.string(),
                   FolderLock::owner(plan_.folder / "lock"));
    std::erase_if(missing, [&](std::size_t shard) {
      if (!plan_.whole(plan_.folder / plan_.files[shard])) return false;
      take(shard);
      return true;
    });
    std::unique_lock lock(mutex);
    if (stopped.wait_for(lock, stop, plan_.look, [&] { return stop.stop_requested(); })) return;
  }
}

}  // namespace facemae
