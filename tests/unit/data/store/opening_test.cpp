// What opening a store looks at, with and without hashing, and what an open store holds of its process.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string_view>

#include "core/error.h"
#include "data/store/manifest.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

class Opening : public testing::Test {
 protected:
  Opening() : store_(testing_stores::make_store(here_ / "store", {20, 20, 20}, 8)) {
    write_view(real_files(), here_ / "view", *store_, {1, 5, 9, 30}, {0, 0, 0, 0}, 1, {"somebody"});
  }
  std::shared_ptr<const Store> open(const std::string& name, SealCheck check) const {
    return Store::open(here_ / name, real_inputs(), {}, check);
  }
  /// A byte of the shard's index, found by the label array's place before the blob or behind it.
  void damage_index(std::size_t shard) const {
    const Path file = here_ / "store" / store_->shards()[shard].file;
    const std::uint64_t blob = store_->shards()[shard].blob_offset;
    test_images::flip_bit(file, blob + store_->shards()[shard].bytes + 3);
  }
  int mappings_of(const std::string& name) const {
    std::ifstream maps("/proc/self/maps");
    int count = 0;
    for (std::string line; std::getline(maps, line);) count += line.ends_with(name);
    return count;
  }
  test::TemporaryFolder here_;
  std::shared_ptr<const Store> store_;
};

TEST_F(Opening, NamesTheFirstOfSeveralDamagedShards) {
  damage_index(5);
  damage_index(2);
  for (const char* name : {"store", "view"}) {
    try {
      open(name, SealCheck::Hashed);
      ADD_FAILURE();
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("shard-00002.h5"), std::string::npos) << error.what();
    }
  }
}

TEST_F(Opening, UnhashedGivesTheSameStore) {
  std::vector<std::byte> hashed, unhashed;
  for (const char* name : {"store", "view"}) {
    const auto a = open(name, SealCheck::Hashed), b = open(name, SealCheck::Unhashed);
    ASSERT_EQ(a->size(), b->size());
    for (std::uint64_t row = 0; row < a->size(); ++row) {
      a->read(row, hashed);
      b->read(row, unhashed);
      EXPECT_EQ(hashed, unhashed);
      EXPECT_EQ(a->label(row), b->label(row));
    }
  }
}

TEST_F(Opening, UnhashedStillRefusesAnotherShardAndATruncatedOne) {
  const Path second = here_ / "store" / store_->shards()[1].file;
  std::filesystem::copy_file(here_ / "store" / store_->shards()[0].file, second,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THROW(open("store", SealCheck::Unhashed), DataError);
  std::filesystem::resize_file(second, 5000);
  EXPECT_THROW(open("view", SealCheck::Unhashed), DataError);
}

TEST_F(Opening, TakesOneMappingAShard) {
  for (const auto& shard : store_->shards()) EXPECT_EQ(mappings_of("/store/" + shard.file), 1);
}

/// Does a child process that may have no more of `resource` fail to do `work` with these words?
bool is_told(int resource, const std::function<void()>& work, std::string_view words) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{1, 1};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &none);
    try {
      work();
    } catch (const FileError& error) {
      ::_exit(std::string_view(error.what()).find(words) != std::string_view::npos ? 0 : 1);
    }
    ::_exit(2);
  }
  int status = -1;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

TEST_F(Opening, SaysWhatToDoWhenThereAreTooManyMappingsOrDescriptors) {
  const Path file = here_ / "store" / store_->shards()[0].file;
  EXPECT_TRUE(is_told(
      RLIMIT_AS, [&] { map_file(file, 0, 100); }, "vm.max_map_count"));
  EXPECT_TRUE(is_told(
      RLIMIT_NOFILE, [&] { const InputFile opened(file); }, "ulimit -Hn"));
}

}  // namespace
}  // namespace facemae
