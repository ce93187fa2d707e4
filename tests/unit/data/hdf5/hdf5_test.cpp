#include "data/hdf5/hdf5.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/error.h"
#include "tests/temporary_folder.h"

namespace facemae::hdf5 {
namespace {

using test::TemporaryFolder;

void write_small(const Path& path) {
  auto file = File::create(path);
  file.write_attribute("format", std::string("small"));
  file.write_array("/values", std::vector<std::uint64_t>{1, 2, 3});
  file.close();
}

/// Somebody else's lock: with locking on, libhdf5 refuses the file, as it does where flock() does not work.
class ForeignLock {
 public:
  explicit ForeignLock(const Path& path) : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT, 0666)) {
    EXPECT_EQ(::flock(descriptor_, LOCK_EX | LOCK_NB), 0);
  }
  ~ForeignLock() { ::close(descriptor_); }

 private:
  int descriptor_;
};

TEST(Hdf5File, IsCreatedAndOpenedWithoutFileLocks) {
  const TemporaryFolder here;
  const ForeignLock lock(here / "a.h5");
  ASSERT_NO_THROW(write_small(here / "a.h5"));
  EXPECT_EQ(Reader::open(here / "a.h5").read_array<std::uint64_t>("/values"),
            (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(Hdf5FileDeathTest, UsesNoLocksWhateverTheEnvironmentAsksFor) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  ::setenv("HDF5_USE_FILE_LOCKING", "TRUE", 1);
  EXPECT_EXIT(
      {
        const TemporaryFolder here;
        const ForeignLock lock(here / "a.h5");
        write_small(here / "a.h5");
        std::_Exit(Reader::open(here / "a.h5").has("/values") ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
}

TEST(Hdf5File, HasEqualBytesForEqualContent) {
  const TemporaryFolder here;
  write_small(here / "a.h5");
  ::sleep(1);  // stored times would differ
  write_small(here / "b.h5");
  EXPECT_EQ(read_file(here / "a.h5"), read_file(here / "b.h5"));
}

TEST(Hdf5File, IsRefusedWithoutASeal) {
  const TemporaryFolder here;
  write_small(here / "a.h5");
  std::string bytes = read_file(here / "a.h5");
  write_durably(real_files(), here / "a.h5", bytes.substr(0, bytes.size() - kSealBytes));
  EXPECT_THROW(Reader::open(here / "a.h5"), DataError);
}

TEST(Hdf5File, SaysThatATextIsTooLongForAnAttribute) {
  const TemporaryFolder here;
  auto file = File::create(here / "a.h5");
  EXPECT_NO_THROW(file.write_attribute("long", std::string(60000, 'x')));
  try {
    file.write_attribute("licence", std::string(70000, 'x'));
    FAIL() << "70,000 bytes were taken";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("licence is a text of 70000 bytes"), std::string::npos)
        << error.what();
  }
}

TEST(Hdf5File, MayBeUsedFromManyThreadsOneAtATime) {
  const TemporaryFolder here;
  write_small(here / "a.h5");
  std::vector<std::jthread> threads;
  threads.reserve(4);
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        write_small(here / ("own-" + std::to_string(t) + ".h5"));
        if (Reader::open(here / "a.h5").read_array<std::uint64_t>("/values").size() == 3) ++right;
      }
    });
  threads.clear();
  EXPECT_EQ(right, 80);
}

}  // namespace
}  // namespace facemae::hdf5
