// A pack that is started again: after a death at any moment, over shards that changed meanwhile, or when nothing is left to do.
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "data/store/shard_file.h"
#include "tests/unit/data/archives/fake_archives.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/pack/pack_on_ranks.h"
#include "tests/why.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using fake_archives::Archives;
using test::why;
using test_images::contents;
using test_images::DyingFiles;
using test_images::pack_on;
using test_images::picture;
using test_images::put;
using test_images::put_faces;
using test_images::quiet;
using test_images::TemporaryFolder;

void expect_same_after_any_death(const TemporaryFolder& here, const ImageSource& source, int step) {
  auto config = quiet(here / "undisturbed");
  config.max_reject_fraction = 0.2;
  config.spill_run_bytes = 5000;
  const auto expected_result = pack(source, config, real_files());
  const auto expected = contents(config.out);
  std::uint64_t resumed = 0;
  int fatal = 1;
  for (;; fatal += step) {
    config.out = here / ("killed-" + std::to_string(fatal));
    DyingFiles dying(fatal);
    try {
      pack(source, config, dying);
    } catch (const FileError&) {
    }
    if (!dying.died()) break;
    if (fs::exists(config.out / "packing"))
      put(config.out / "packing/shard-00001.h5.tmp", bytes_of("left by a dead process"));
    const auto result = fatal % 3 == 0 ? pack_on(2, source, config) : pack(source, config, real_files());
    resumed = std::max(resumed, result.resumed_shards);
    EXPECT_EQ(result.images, expected_result.images);
    EXPECT_EQ(result.rejects, 1u);
    EXPECT_EQ(contents(config.out), expected) << "killed at operation " << fatal;
    fs::remove_all(config.out);
  }
  EXPECT_GT(fatal, 40) << "too few operations went through the file system to prove anything";
  EXPECT_EQ(resumed, expected_result.shards);
}

TEST(PackRestart, KilledAtAnyMomentGoesOnToTheSameBytes) {
  TemporaryFolder here;
  put_faces(here / "faces", 2, 4);
  put(here / "faces/id-0/broken.jpg", bytes_of("no image"));
  expect_same_after_any_death(here, *folder_source({here / "faces"}), 1);
}

TEST(PackRestart, KilledAtAnyMomentOfReadingArchivesGoesOnToTheSameBytes) {
  TemporaryFolder here;
  put_faces(here / "faces", 2, 6);
  put(here / "faces/id-0/broken.jpg", bytes_of("no image"));
  const auto folder = folder_source({here / "faces"});
  expect_same_after_any_death(here, Archives(*folder, 3), 2);
}

TEST(PackRestart, ShardDamagedBetweenTwoStartsIsMadeAgain) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 6);
  const auto source = folder_source({here / "faces"});
  pack(*source, quiet(here / "good"), real_files());
  const auto expected = contents(here / "good");
  const auto config = quiet(here / "bad");
  Packing interrupted(*source, config, real_files());
  const auto phases = interrupted.phases();
  for (std::size_t phase = 0; phase + 1 < phases.size(); ++phase) phases[phase]();  // all but the finish
  const Path shard = here / "bad/packing/shard-00000.h5";
  ::usleep(20'000);  // so that the file's time differs; not a synchronisation
  test_images::flip_bit(shard, read_shard(shard).info.blob_offset + 3);
  const auto result = pack_on(2, *source, config);
  EXPECT_EQ(result.resumed_shards, result.shards - 1);
  EXPECT_EQ(contents(here / "bad"), expected);
}

TEST(PackRestart, AFinishedShardThatIsTheFileThatWasReadBackIsNotReadAgain) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 6);
  const auto source = folder_source({here / "faces"});
  const auto config = quiet(here / "store");
  Packing interrupted(*source, config, real_files());
  const auto phases = interrupted.phases();
  for (std::size_t phase = 0; phase + 1 < phases.size(); ++phase) phases[phase]();
  const Path shard = config.out / "packing/shard-00000.h5";
  const auto time = fs::last_write_time(shard);
  test_images::flip_bit(shard, read_shard(shard).info.blob_offset + 3);
  fs::last_write_time(shard, time);  // nothing shows
  const auto result = pack(*source, config, real_files());
  EXPECT_EQ(result.resumed_shards, result.shards);
  EXPECT_FALSE(fs::exists(config.out / "packing"));
  EXPECT_FALSE(fs::exists(config.out / ".checked"));
}

TEST(PackRestart, FinishedStoreIsLeftAloneAndOtherSettingsAreRefused) {
  TemporaryFolder here;
  put_faces(here / "faces", 2, 5);
  const auto source = folder_source({here / "faces"});
  auto config = quiet(here / "store");
  const auto first = pack(*source, config, real_files());
  const auto before = contents(config.out);
  const auto second = pack(*source, config, real_files());
  EXPECT_EQ(second.resumed_shards, first.shards);
  EXPECT_EQ(second.images, first.images);
  EXPECT_EQ(second.bytes, first.bytes);
  EXPECT_EQ(contents(config.out), before);
  config.seed = 99;
  const std::string reason = why<ConfigError>([&] { pack(*source, config, real_files()); });
  EXPECT_NE(reason.find("seed was 7, now 99"), std::string::npos) << reason;
  config = quiet(here / "store");
  put(here / "faces/id-0/new.jpg", encode_jpeg(picture(77)));
  EXPECT_NE(why<ConfigError>([&] {
              pack(*folder_source({here / "faces"}), config, real_files());
            }).find("catalogue_images was 10, now 11"),
            std::string::npos);
  EXPECT_EQ(contents(config.out), before);
}

}  // namespace
}  // namespace facemae
