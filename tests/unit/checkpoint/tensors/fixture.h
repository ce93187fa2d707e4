#pragma once
// What the checkpoint tests share: a folder that goes away, small states, and a disk that fails when told to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <functional>

#include "checkpoint/tensors/snapshot.h"
#include "checkpoint/tensors/store.h"
#include "core/error.h"
#include "core/files/files.h"
#include "core/log.h"
#include "tests/temporary_folder.h"

namespace facemae::test {

/// Values of a tensor that depend on its name, its place and `version` only.
inline torch::Tensor values(const std::vector<std::int64_t>& shape, torch::ScalarType type, double version) {
  std::int64_t count = 1;
  for (const auto n : shape) count *= n;
  const torch::Tensor numbers =
      torch::arange(count, torch::kFloat64).mul(0.37).add(version).remainder(101).reshape(shape);
  return type == torch::kBool ? numbers.gt(50) : numbers.to(type);
}

/// One tensor of every type, an empty one and a number; rows of `classes` classes for rank `rank` of `world`.
inline Snapshot small_state(std::uint64_t step, std::int64_t classes = 0, std::int64_t first = 0,
                            std::int64_t rows = 0) {
  const auto version = static_cast<double>(step);
  Snapshot state;
  state.step = step;
  state.samples = step * 64;
  state.replicated = {{"model.weight", values({7, 5}, torch::kFloat32, version)},
                      {"model.wide", values({3, 2}, torch::kFloat64, version)},
                      {"model.half", values({9}, torch::kFloat16, version)},
                      {"model.brain", values({5}, torch::kBFloat16, version)},
                      {"model.count", values({}, torch::kInt64, version)},
                      {"optimizer.small", values({3}, torch::kInt32, version)},
                      {"optimizer.bytes", values({5}, torch::kUInt8, version)},
                      {"optimizer.flags", values({3}, torch::kBool, version)},
                      {"optimizer.empty", values({0, 4}, torch::kFloat32, version)}};
  if (classes > 0) {
    const torch::Tensor all = values({classes, 6}, torch::kFloat32, version + 0.5);
    state.by_class.push_back({"centres", all.slice(0, first, first + rows).clone(), first, classes});
    state.virtual_shards = 8;
  }
  state.run_state = "{\"step\":" + std::to_string(step) + "}";
  state.config = "batch = 64\nname = \xe9\n";  // a text of another encoding must survive, too
  state.dataset_digest = "d1";
  state.model_hash = "tiny";
  return state;
}

inline void expect_equal(const Snapshot& a, const Snapshot& b) {
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.samples, b.samples);
  EXPECT_EQ(a.run_state, b.run_state);
  ASSERT_EQ(a.replicated.size(), b.replicated.size());
  for (std::size_t i = 0; i < a.replicated.size(); ++i)
    EXPECT_TRUE(torch::equal(a.replicated[i].value, b.replicated[i].value)) << a.replicated[i].name;
  ASSERT_EQ(a.by_class.size(), b.by_class.size());
  for (std::size_t i = 0; i < a.by_class.size(); ++i)
    EXPECT_TRUE(torch::equal(a.by_class[i].rows, b.by_class[i].rows)) << a.by_class[i].name;
}

/// Same names and shapes, other values: what a restore has to overwrite.
inline Snapshot blank_like(const Snapshot& state) {
  Snapshot blank = state;
  blank.step = blank.samples = 0;
  blank.run_state.clear();
  for (auto& tensor : blank.replicated) tensor.value = torch::ones_like(tensor.value);
  for (auto& tensor : blank.by_class) tensor.rows = torch::ones_like(tensor.rows);
  return blank;
}

/// Loads the newest checkpoint that proves good, as a trainer does; nothing when there is none.
inline std::optional<CheckpointInfo> load_newest(CheckpointStore& store, Snapshot& into,
                                                 std::vector<std::string>* reasons = nullptr) {
  while (auto info = store.newest()) {
    const auto corrupt = store.restore(*info, into);
    if (!corrupt) return info;
    if (reasons) reasons->push_back(*corrupt);
  }
  return {};
}

inline void overwrite(const Path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Real files; operation number `fail_at` (counted from 0, over everything) fails, and all after it when
/// `for_ever`. A failing write leaves half of its bytes.
class FailingFiles final : public FileSystem {
 public:
  std::int64_t operations = 0, fail_at = -1;
  bool for_ever = false;

  std::unique_ptr<OutputFile> create(const Path& path) override {
    step("creating");
    return std::make_unique<Output>(*this, real_files().create(path));
  }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    step("opening");
    return std::make_unique<Output>(*this, real_files().open_append(path));
  }
  void rename(const Path& from, const Path& to) override { step("renaming"), real_files().rename(from, to); }
  void remove(const Path& path) override { step("removing"), real_files().remove(path); }
  void make_folder(const Path& path) override { step("making a folder"), real_files().make_folder(path); }
  void sync_folder(const Path&) override { step("syncing a folder"); }

 private:
  class Output final : public OutputFile {
   public:
    Output(FailingFiles& owner, std::unique_ptr<OutputFile> file) : owner_(owner), file_(std::move(file)) {}
    void write(Bytes bytes) override {
      if (owner_.fails()) {
        file_->write(bytes.first(bytes.size() / 2));
        throw FileError("writing: no space left on device (pretended)", ENOSPC);
      }
      file_->write(bytes);
    }
    void sync() override { owner_.step("syncing"); }
    void close() override { owner_.step("closing"), file_->close(); }

   private:
    FailingFiles& owner_;
    std::unique_ptr<OutputFile> file_;
  };
  bool fails() {
    const std::int64_t now = operations++;
    return fail_at >= 0 && (now == fail_at || (for_ever && now > fail_at));
  }
  void step(const char* doing) {
    if (fails()) throw FileError(std::string(doing) + ": no space left on device (pretended)", ENOSPC);
  }
};

/// Real files without fsync, for tests that are not about durability.
class QuickFiles : public FileSystem {
 public:
  std::unique_ptr<OutputFile> create(const Path& path) override {
    return std::make_unique<Output>(real_files().create(path));
  }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    return std::make_unique<Output>(real_files().open_append(path));
  }
  void rename(const Path& from, const Path& to) override { real_files().rename(from, to); }
  void remove(const Path& path) override { real_files().remove(path); }
  void make_folder(const Path& path) override { real_files().make_folder(path); }
  void sync_folder(const Path&) override {}

 private:
  class Output final : public OutputFile {
   public:
    explicit Output(std::unique_ptr<OutputFile> file) : file_(std::move(file)) {}
    void write(Bytes bytes) override { file_->write(bytes); }
    void sync() override {}
    void close() override { file_->close(); }

   private:
    std::unique_ptr<OutputFile> file_;
  };
};

/// Expected failures are many here: their log lines would hide real ones.
class Quiet {
 public:
  Quiet() : before_(spdlog::get_level()) { spdlog::set_level(spdlog::level::off); }
  ~Quiet() { spdlog::set_level(before_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  spdlog::level::level_enum before_;
};

}  // namespace facemae::test
