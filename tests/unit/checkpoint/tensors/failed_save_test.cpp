// A disk that fails at any operation of a save: afterwards the old or the new step restores, never none.
#include "checkpoint/tensors/store.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;

/// Two steps are kept, so a third save removes one: its failures are tried, too.
void save_two(CheckpointStore& store) {
  store.saver().keep({.last = 2});
  ASSERT_TRUE(store.save(small_state(10), 1));
  ASSERT_TRUE(store.save(small_state(15), 1));
}

std::int64_t operations_of_a_save() {
  const TemporaryFolder folder;
  AloneControl control;
  FailingFiles files;
  CheckpointStore store(folder.path(), control, files);
  save_two(store);
  const auto before = files.operations;
  EXPECT_TRUE(store.save(small_state(20), 1));
  return files.operations - before;
}

void fail_everywhere(bool for_ever) {
  const Quiet quiet;
  const auto operations = operations_of_a_save();
  ASSERT_GT(operations, 20);
  int failed = 0;
  for (std::int64_t i = 0; i < operations; ++i) {
    const TemporaryFolder folder;
    AloneControl control;
    FailingFiles files;
    CheckpointStore store(folder.path(), control, files);
    save_two(store);
    files.fail_at = files.operations + i;
    files.for_ever = for_ever;
    const bool saved = store.save(small_state(20), 1);
    failed += saved ? 0 : 1;
    files.fail_at = -1;

    CheckpointStore later(folder.path(), control, real_files());
    Snapshot loaded = blank_like(small_state(10));
    const auto info = load_newest(later, loaded);
    ASSERT_TRUE(info) << "operation " << i;
    if (saved) {
      EXPECT_EQ(info->step, 20u) << "announced, so it must be there: operation " << i;
    } else {
      EXPECT_GE(info->step, 15u) << "operation " << i;
    }
    expect_equal(loaded, small_state(info->step));

    ASSERT_TRUE(store.save(small_state(30), 1)) << "the next save succeeds: operation " << i;
    CheckpointStore last(folder.path(), control, real_files());
    EXPECT_EQ(last.newest()->step, 30u);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "checkpoints")) {
      if (entry.is_directory()) {
        EXPECT_TRUE(std::filesystem::exists(entry.path() / "COMMIT")) << "debris is left: operation " << i;
      }
    }
  }
  EXPECT_GT(failed, 10) << "most operations are needed for a save";
}

TEST(FailedSave, OneFailureAnywhereLeavesTheOldOrTheNewStep) { fail_everywhere(false); }
TEST(FailedSave, ADiskThatStaysFullLeavesTheOldOrTheNewStep) { fail_everywhere(true); }

TEST(FailedSave, AFirstSaveThatFailsLeavesARunThatStartsAtZeroOrResumes) {
  const Quiet quiet;
  for (std::int64_t i = 0; i < 30; ++i) {
    const TemporaryFolder folder;
    AloneControl control;
    FailingFiles files;
    files.fail_at = i;
    files.for_ever = true;
    CheckpointStore store(folder.path(), control, files);
    const bool saved = store.save(small_state(10), 1);
    CheckpointStore later(folder.path(), control, real_files());
    Snapshot loaded = blank_like(small_state(10));
    const auto info = load_newest(later, loaded);
    EXPECT_TRUE(info || !saved) << "operation " << i;
    if (info) expect_equal(loaded, small_state(10));
  }
}

TEST(FailedSave, SeveralInARowEndTheRunAndASuccessStartsTheCountAgain) {
  const Quiet quiet;
  const TemporaryFolder folder;
  AloneControl control;
  FailingFiles files;
  CheckpointStore store(folder.path(), control, files);
  ASSERT_TRUE(store.save(small_state(10), 1));
  const auto fail_now = [&](bool fail) {
    files.fail_at = fail ? files.operations : -1;
    files.for_ever = true;
  };
  fail_now(true);
  EXPECT_FALSE(store.save(small_state(20), 1));
  EXPECT_FALSE(store.save(small_state(30), 1));
  fail_now(false);
  EXPECT_TRUE(store.save(small_state(40), 1));
  fail_now(true);
  EXPECT_FALSE(store.save(small_state(50), 1));
  EXPECT_FALSE(store.save(small_state(60), 1));
  EXPECT_THROW(store.save(small_state(70), 1), Unresumable);
}

/// A disk that loses the end of each shard without a word.
class LosingFiles final : public QuickFiles {
 public:
  std::unique_ptr<OutputFile> create(const Path& path) override {
    auto file = QuickFiles::create(path);
    if (path.extension() != ".safetensors") return file;
    return std::make_unique<Shortened>(std::move(file), path);
  }

 private:
  class Shortened final : public OutputFile {
   public:
    Shortened(std::unique_ptr<OutputFile> file, Path path) : file_(std::move(file)), path_(std::move(path)) {}
    void write(Bytes bytes) override { file_->write(bytes); }
    void sync() override { file_->sync(); }
    void close() override {
      file_->close();
      std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
    }

   private:
    std::unique_ptr<OutputFile> file_;
    Path path_;
  };
};

TEST(FailedSave, AFileThatEndsShortIsNotCommitted) {
  const Quiet quiet;
  const TemporaryFolder folder;
  AloneControl control;
  LosingFiles files;
  CheckpointStore store(folder.path(), control, files);
  EXPECT_FALSE(store.save(small_state(10), 1));
}

}  // namespace
}  // namespace facemae
