#include "data/pack.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/pack_plan.h"
#include "data/shard_file.h"
#include "data/store.h"
#include "test_images.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test_images::contents;
using test_images::DyingFiles;
using test_images::picture;
using test_images::put;
using test_images::put_faces;
using test_images::quiet;
using test_images::TemporaryFolder;

template <class Kind>
std::string why(const std::function<void()>& act) {
  try {
    act();
  } catch (const Kind& error) {
    return error.what();
  }
  return "";
}

TEST(Pack, IsByteIdenticalForAnyNumberOfThreads) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 7);
  const auto source = folder_source({here / "faces"});
  auto once = quiet(here / "one"), again = quiet(here / "two");
  again.threads = 3;
  const auto result = pack(*source, once, real_files());
  ::sleep(1);  // so that a time of day in a file would differ; not a synchronisation
  pack(*source, again, real_files());
  EXPECT_EQ(contents(once.out), contents(again.out));
  EXPECT_EQ(result.images, 21u);
  EXPECT_EQ(result.identities, 3);
  EXPECT_GT(result.shards, 1u);
  EXPECT_EQ(contents(once.out).count("pack.journal"), 0u);
}

TEST(Pack, KilledAtAnyMomentGoesOnToTheSameBytes) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 6);
  put(here / "faces/id-0/broken.jpg", bytes_of("no image"));
  const auto source = folder_source({here / "faces"});
  auto config = quiet(here / "undisturbed");
  config.max_reject_fraction = 0.2;
  const auto expected_result = pack(*source, config, real_files());
  const auto expected = contents(config.out);
  std::uint64_t resumed = 0;
  int fatal = 1;
  for (;; ++fatal) {
    config.out = here / ("killed-" + std::to_string(fatal));
    DyingFiles dying(fatal);
    try {
      pack(*source, config, dying);
    } catch (const FileError&) {
    }
    if (!dying.died()) break;
    if (fs::exists(config.out)) put(config.out / "shard-00001.h5.tmp", bytes_of("left by a dead process"));
    const auto result = pack(*source, config, real_files());
    fs::remove(config.out /
               "shard-00001.h5.tmp");  // still there only when shard 1 was finished before the kill
    resumed = std::max(resumed, result.resumed_shards);
    EXPECT_EQ(result.images, expected_result.images);
    EXPECT_EQ(result.rejects, 1u);
    EXPECT_EQ(contents(config.out), expected) << "killed at operation " << fatal;
    fs::remove_all(config.out);
  }
  EXPECT_GT(fatal, 40) << "too few operations went through the file system to prove anything";
  EXPECT_EQ(resumed, expected_result.shards);
}

TEST(Pack, ShardDamagedBetweenTwoStartsIsMadeAgain) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 6);
  const auto source = folder_source({here / "faces"});
  pack(*source, quiet(here / "good"), real_files());
  const auto expected = contents(here / "good");
  for (int fatal = 60; fatal > 0; --fatal) {  // the last moment before the manifest
    DyingFiles dying(fatal);
    fs::remove_all(here / "bad");
    try {
      pack(*source, quiet(here / "bad"), dying);
    } catch (const FileError&) {
    }
    if (fs::exists(here / "bad/shard-00001.h5") && !fs::exists(here / "bad/manifest.h5")) break;
  }
  test_images::flip_bit(here / "bad/shard-00000.h5",
                        read_shard(here / "bad/shard-00000.h5").info.blob_offset + 3);
  pack(*source, quiet(here / "bad"), real_files());
  EXPECT_EQ(contents(here / "bad"), expected);
}

TEST(Pack, FinishedStoreIsLeftAloneAndOtherSettingsAreRefused) {
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

TEST(Pack, BadImagesAreListedWithTheirReasons) {
  TemporaryFolder here;
  put_faces(here / "faces", 2, 5);
  const auto whole = encode_jpeg(picture(500));
  put(here / "faces/id-0/cut.jpg", Bytes(whole).first(whole.size() * 2 / 3));
  put(here / "faces/id-1/large.jpg", encode_jpeg(picture(501, 40)));
  put(here / "faces/id-1/empty.png", {});
  fs::create_symlink("nowhere.jpg", here / "faces/id-1/gone.jpg");
  put(here / "faces/id-1/same.jpg", encode_jpeg(picture(3)));  // as id-0/image-3.jpg
  auto config = quiet(here / "store");
  config.max_reject_fraction = 0.5;
  const auto result = pack(*folder_source({here / "faces"}), config, real_files());
  EXPECT_EQ(result.rejects, 4u);
  EXPECT_EQ(result.images, 11u);
  EXPECT_EQ(result.duplicates, 1u);
  const std::string rejects = read_file(config.out / "rejects.csv");
  EXPECT_NE(rejects.find("\"id-0/cut.jpg\",\"JPEG: "), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("\"id-1/large.jpg\",\"40 x 40 pixels, expected 32 x 32"), std::string::npos)
      << rejects;
  EXPECT_NE(rejects.find("id-1/empty.png"), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("No such file"), std::string::npos) << rejects;
  EXPECT_EQ(Store::open(config.out)->size(), 11u);
}

TEST(Pack, TooManyRejectsLeaveNothingUnderFinalNames) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 8);
  for (int i = 0; i < 5; ++i)
    put(here / "faces/id-2" / ("bad-" + std::to_string(i) + ".jpg"), bytes_of("no image"));
  auto config = quiet(here / "store");
  config.max_reject_fraction = 0.1;
  const auto source = folder_source({here / "faces"});
  const std::string reason = why<DataError>([&] { pack(*source, config, real_files()); });
  EXPECT_NE(reason.find("--max-reject-fraction"), std::string::npos) << reason;
  EXPECT_NE(reason.find("id-2/bad-"), std::string::npos) << reason;
  const auto left = contents(config.out);
  EXPECT_EQ(left.size(), 1u);
  EXPECT_EQ(left.count("rejects.csv"), 1u);
  config.max_reject_fraction = 0.3;
  EXPECT_EQ(pack(*source, config, real_files()).images, 24u);
}

TEST(Pack, ResizeReencodesOtherSizesOnly) {
  TemporaryFolder here;
  put_faces(here / "faces", 1, 3);
  put(here / "faces/id-0/large.png", encode_png(picture(9, 64)));
  auto config = quiet(here / "store");
  config.resize = true;
  config.image_size = 32;
  EXPECT_EQ(pack(*folder_source({here / "faces"}), config, real_files()).rejects, 0u);
  const auto store = Store::open(config.out);
  Decoder decoder;
  std::vector<std::byte> bytes;
  int pngs = 0;
  for (std::uint64_t row = 0; row < store->size(); ++row) {
    store->read(row, bytes);
    const auto header = decoder.header(bytes);
    EXPECT_EQ(header.width, 32);
    if (header.codec == Codec::Png) {
      EXPECT_EQ(decoder.decode(bytes).pixels, resize(picture(9, 64), 32, 32).pixels);
      ++pngs;
    }
  }
  EXPECT_EQ(pngs, 1);
}

TEST(Pack, ForeignShardsAreNotOverwritten) {
  TemporaryFolder here;
  put_faces(here / "faces", 1, 3);
  put(here / "store/shard-00000.h5", bytes_of("somebody's"));
  EXPECT_NE(why<ConfigError>([&] {
              pack(*folder_source({here / "faces"}), quiet(here / "store"), real_files());
            }).find("whose"),
            std::string::npos);
  EXPECT_EQ(read_file(here / "store/shard-00000.h5"), "somebody's");
}

TEST(Pack, NeedsSpace) {
  EXPECT_NO_THROW(require_space(1000, 1000, "out"));
  EXPECT_NE(why<ConfigError>([] { require_space(1ULL << 30, 3ULL << 40, "out"); }).find("3.0 TiB"),
            std::string::npos);
}

TEST(FolderSource, SortsIdentitiesOverSeveralRoots) {
  TemporaryFolder here;
  put(here / "a/zoe/1.JPG", encode_jpeg(picture(1)));
  put(here / "a/adam/1.png", encode_png(picture(2)));
  put(here / "a/adam/notes.txt", bytes_of("not an image"));
  put(here / "b/mia/1.jpeg", encode_jpeg(picture(3)));
  put(here / "b/adam/2.jpg", encode_jpeg(picture(4)));
  const auto source = folder_source({here / "a", here / "b"});
  EXPECT_EQ(source->identity_names(), (std::vector<std::string>{"adam", "mia", "zoe"}));
  ASSERT_EQ(source->size(), 4u);
  EXPECT_EQ(source->name(1), "adam/2.jpg");
  EXPECT_EQ(source->label(3), 2);
  EXPECT_EQ(source->read(1), encode_jpeg(picture(4)));
  put(here / "b/adam/1.png", encode_png(picture(5)));
  EXPECT_NE(why<DataError>([&] {
              folder_source({here / "a", here / "b"});
            }).find("one name"),
            std::string::npos);
}

TEST(FolderSource, NamesEmptyIdentitiesAndMissingFolders) {
  TemporaryFolder here;
  put_faces(here / "faces", 1, 1);
  fs::create_directories(here / "faces/nobody");
  EXPECT_NE(why<DataError>([&] { folder_source({here / "faces"}); }).find("nobody"), std::string::npos);
  fs::create_directories(here / "bare");
  EXPECT_NE(why<ConfigError>([&] { folder_source({here / "bare"}); }).find("no identity folders"),
            std::string::npos);
  EXPECT_NE(why<ConfigError>([&] { folder_source({here / "missing"}); }).find("not a folder"),
            std::string::npos);
}

TEST(SynthSource, PacksAndDependsOnItsSeed) {
  TemporaryFolder here;
  const auto config = quiet(here / "synth");
  EXPECT_EQ(pack(*synth_source(5, 10, 2, 3), config, real_files()).images, 6u);
  const auto store = Store::open(config.out);
  EXPECT_EQ(store->image_size(), 112);
  EXPECT_EQ(store->identity_name(0), "syn-0000010");
  EXPECT_NE(why<ConfigError>([&] {
              pack(*synth_source(6, 10, 2, 3), config, real_files());
            }).find("content_sample"),
            std::string::npos);
}

}  // namespace
}  // namespace facemae
