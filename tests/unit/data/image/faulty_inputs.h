#pragma once
// Files that are damaged, lost or slow while they are read, for tests of what reads them.

#include <atomic>
#include <cerrno>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/files/files.h"

namespace facemae::test {

/// Reads the real files, through a `fault` that may change the bytes read, throw or wait. It is called for
/// every read of a file under its name or its folder's. `stale` is true until the range was forgotten: as if
/// it came from the page cache. Setting a fault is safe while others read.
class FaultyInputs final : public InputFiles {
 public:
  using Fault = std::function<void(std::uint64_t offset, std::span<std::byte> bytes, bool stale)>;

  void set(const Path& path, Fault fault) {
    const std::scoped_lock lock(mutex_);
    faults_[path.string()] = std::move(fault);
  }
  void refuse_to_open(const Path& path, int code) {
    const std::scoped_lock lock(mutex_);
    refused_[path.string()] = code;
  }
  void heal(const Path& path) {
    const std::scoped_lock lock(mutex_);
    faults_.erase(path.string());
    refused_.erase(path.string());
  }
  std::unique_ptr<ReadableFile> open(const Path& path) override {
    const std::scoped_lock lock(mutex_);
    if (const auto code = refused_.find(path.string()); code != refused_.end())
      throw FileError("opening " + path.string() + ": refused by the test", code->second);
    ++opened;
    return std::make_unique<File>(*this, path);
  }
  std::atomic<int> opened = 0, reads = 0;

 private:
  struct File final : ReadableFile {
    File(FaultyInputs& o, const Path& path) : owner(o), real(path) {}
    void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
      ++owner.reads;
      real.read_at(offset, out);
      Fault fault;
      {
        const std::scoped_lock lock(owner.mutex_);
        for (const Path& named : {real.path().parent_path(), real.path()})
          if (const auto found = owner.faults_.find(named.string()); found != owner.faults_.end())
            fault = found->second;
      }
      if (fault) fault(offset, out, !forgotten.exchange(false));
    }
    void forget(std::uint64_t offset, std::uint64_t bytes) const override {
      real.forget(offset, bytes);
      forgotten = true;
    }
    FaultyInputs& owner;
    InputFile real;
    mutable std::atomic<bool> forgotten = false;
  };
  std::mutex mutex_;
  std::map<std::string, Fault> faults_;
  std::map<std::string, int> refused_;
};

/// Changes the byte at `at` in whatever read covers it.
inline FaultyInputs::Fault flipped(std::uint64_t at, bool only_stale = false) {
  return [=](std::uint64_t offset, std::span<std::byte> bytes, bool stale) {
    if (only_stale && !stale) return;
    if (at >= offset && at < offset + bytes.size()) bytes[at - offset] ^= std::byte{0x10};
  };
}
/// Fails the first `times` reads.
inline FaultyInputs::Fault failing(int code, int times) {
  auto left = std::make_shared<std::atomic<int>>(times);
  return [=](std::uint64_t, std::span<std::byte>, bool) {
    if ((*left)-- > 0) throw FileError("reading: failed by the test", code);
  };
}
inline constexpr int kAlways = 1 << 30;

}  // namespace facemae::test
