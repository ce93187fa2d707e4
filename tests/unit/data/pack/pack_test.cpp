#include "data/pack/pack.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/image/resize.h"
#include "data/pack/pack_forecast.h"
#include "data/pack/pack_plan.h"
#include "data/store/store.h"
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
using test_images::pack_on;
using test_images::picture;
using test_images::put;
using test_images::put_faces;
using test_images::quiet;
using test_images::TemporaryFolder;

/// Faces with a fault of each kind and two pairs of duplicates.
void put_mixed_faces(const Path& root) {
  put_faces(root, 5, 9);
  const auto whole = encode_jpeg(picture(500));
  put(root / "id-0/cut.jpg", Bytes(whole).first(whole.size() * 2 / 3));
  put(root / "id-1/large.jpg", encode_jpeg(picture(501, 40)));
  put(root / "id-1/picture.png", encode_png(picture(502)));
  fs::create_symlink("nowhere.jpg", root / "id-1/gone.jpg");
  put(root / "id-1/same.jpg", encode_jpeg(picture(3)));      // as id-0/image-3.jpg
  put(root / "id-4/as \"b\".jpg", encode_jpeg(picture(3)));  // once more
}

TEST(Pack, IsByteIdenticalForAnyNumberOfRanksAndThreads) {
  TemporaryFolder here;
  put_mixed_faces(here / "faces");
  const auto folder = folder_source({here / "faces"});
  const Archives archives(*folder, 7);
  for (const ImageSource* source :
       {static_cast<const ImageSource*>(folder.get()), static_cast<const ImageSource*>(&archives)}) {
    auto config = quiet(here / "one");
    config.max_reject_fraction = 0.1;
    config.spill_run_bytes = 9000;
    const auto result = pack(*source, config, real_files());
    const auto expected = contents(config.out);
    EXPECT_EQ(result.images, 48u);
    EXPECT_EQ(result.rejects, 3u);
    EXPECT_EQ(result.duplicates, 2u);
    EXPECT_EQ(result.identities, 5);
    EXPECT_GT(result.shards, 3u);
    EXPECT_EQ(expected.size(), result.shards + 5) << "shards, two manifests, the identities, two lists";
    ::sleep(1);  // so that a time of day in a file would differ; not a synchronisation
    for (const int ranks : {1, 2, 3, 11}) {
      config.out = here / ("ranks-" + std::to_string(ranks));
      config.threads = 1 + ranks % 3;
      const auto again = pack_on(ranks, *source, config);
      EXPECT_EQ(contents(config.out), expected) << ranks << " ranks";
      EXPECT_EQ(again.images, result.images);
      EXPECT_EQ(again.smallest, result.smallest);
      EXPECT_EQ(again.largest, result.largest);
      EXPECT_EQ(again.rejects_by_reason, result.rejects_by_reason);
      fs::remove_all(config.out);
    }
    fs::remove_all(here / "one");
  }
}

TEST(Pack, ArchivesGiveTheImagesThatAFolderGives) {
  TemporaryFolder here;
  put_mixed_faces(here / "faces");
  const auto folder = folder_source({here / "faces"});
  const Archives archives(*folder, 4);
  auto config = quiet(here / "folder");
  config.max_reject_fraction = 0.1;
  pack(*folder, config, real_files());
  config.out = here / "archives";
  config.spill_run_bytes = 20000;
  config.threads = 2;
  pack(archives, config, real_files());
  EXPECT_EQ(read_file(here / "folder/duplicates.csv"), read_file(here / "archives/duplicates.csv"));
  EXPECT_EQ(read_file(here / "folder/rejects.csv"), read_file(here / "archives/rejects.csv"));
  const auto a = Store::open(here / "folder"), b = Store::open(here / "archives");
  ASSERT_EQ(a->size(), b->size());
  std::vector<std::byte> x, y;
  for (std::uint64_t row = 0; row < a->size(); ++row) {
    a->read(row, x);
    b->read(row, y);
    EXPECT_EQ(x, y);
    EXPECT_EQ(a->label(row), b->label(row));
  }
}

TEST(Pack, ImagesThatNoArchiveHandsOverAreRejects) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 6);
  const auto folder = folder_source({here / "faces"});
  Archives archives(*folder, 3);
  archives.lost = {4, 11};
  auto config = quiet(here / "store");
  EXPECT_NE(why<DataError>([&] { pack_on(2, archives, config); }).find("of 18 images cannot be used"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(config.out / "manifest.h5"));
  config.max_reject_fraction = 0.2;
  EXPECT_EQ(pack(archives, config, real_files()).rejects, 2u);
  EXPECT_NE(read_file(config.out / "rejects.csv").find("\"id-0/image-4.jpg\",\"cannot be read: it is in"),
            std::string::npos);
}

TEST(Pack, BrokenArchiveEndsThePackAndLaterGoesOn) {
  TemporaryFolder here;
  put_faces(here / "faces", 4, 8);
  const auto folder = folder_source({here / "faces"});
  Archives archives(*folder, 9);
  auto config = quiet(here / "store");
  config.spill_run_bytes = 1000;
  pack(archives, quiet(here / "undisturbed"), real_files());
  archives.broken = 8;  // the last: planning does not look into it
  EXPECT_NE(why<DataError>([&] { pack(archives, config, real_files()); }).find("archive 8 is cut off"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(config.out / "manifest.h5"));
  const auto spilled = fs::file_size(config.out / "packing/spill-00000.data");
  EXPECT_GT(spilled, 5000u) << "the others are done and need not be read again";
  archives.broken = static_cast<std::size_t>(-1);
  EXPECT_EQ(pack_on(2, archives, config).images, 32u);
  EXPECT_EQ(contents(config.out), contents(here / "undisturbed"));
}

TEST(Pack, RanksWithoutACommonFolderAreToldSo) {
  TemporaryFolder here;
  put_faces(here / "faces", 2, 4);
  const auto source = folder_source({here / "faces"});
  const auto config = quiet(here / "elsewhere");
  Packing second(*source, config, real_files(), 1, 2);
  const auto phases = second.phases();
  phases[0]();
  EXPECT_NE(why<ConfigError>([&] { phases[1](); }).find("that all ranks share"), std::string::npos);
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
  EXPECT_EQ(read_file(config.out / "duplicates.csv"),
            "source,same_as\n\"id-1/same.jpg\",\"id-0/image-3.jpg\"\n");
  EXPECT_EQ(result.rejects_by_reason,
            (std::map<std::string, std::uint64_t>{
                {"another size", 1}, {"cannot be read", 1}, {"does not decode", 2}}));
  const std::string rejects = read_file(config.out / "rejects.csv");
  EXPECT_NE(rejects.find("\"id-0/cut.jpg\",\"does not decode: JPEG: "), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("\"id-1/large.jpg\",\"another size: 40 x 40 pixels, expected 32 x 32"),
            std::string::npos)
      << rejects;
  EXPECT_NE(rejects.find("id-1/empty.png"), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("No such file"), std::string::npos) << rejects;
  EXPECT_EQ(Store::open(config.out)->size(), 11u);
}

TEST(Pack, TooManyRejectsLeaveNothingUnderFinalNamesAndLoseNothing) {
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
  EXPECT_FALSE(fs::exists(config.out / "manifest.h5"));
  EXPECT_FALSE(fs::exists(config.out / "shard-00000.h5"));
  EXPECT_NE(read_file(config.out / "rejects.csv").find("id-2/bad-"), std::string::npos);
  config.max_reject_fraction = 0.3;
  EXPECT_EQ(pack(*source, config, real_files()).images, 24u);
}

TEST(Pack, AStoreWithoutImagesIsNoneWhateverThePolicyAllows) {
  TemporaryFolder here;
  for (const char* name : {"a/1.jpg", "b/1.jpg"}) put(here / "faces" / name, bytes_of("no image"));
  auto config = quiet(here / "store");
  config.max_reject_fraction = 1;
  config.image_size = 32;
  const auto source = folder_source({here / "faces"});
  const std::string reason = why<DataError>([&] { pack(*source, config, real_files()); });
  EXPECT_NE(reason.find("2 of 2 images cannot be used, which leaves none"), std::string::npos) << reason;
  EXPECT_FALSE(fs::exists(config.out / "manifest.h5"));
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

TEST(Pack, IsForetoldWithoutWriting) {
  TemporaryFolder here;
  put_faces(here / "faces", 3, 5);
  const auto source = folder_source({here / "faces"});
  const auto config = quiet(here / "deep/down/store");
  const PackForecast forecast = forecast_pack(*source, config);
  EXPECT_FALSE(fs::exists(here / "deep"));
  EXPECT_EQ(forecast.images, 15u);
  EXPECT_EQ(forecast.identities, 3u);
  EXPECT_EQ(forecast.image_size, 32);
  EXPECT_EQ(forecast.rejects, 0u);
  EXPECT_GT(forecast.free_bytes, 0u);
  const PackResult result = pack(*source, config, real_files());
  EXPECT_EQ(forecast.shards, result.shards);
  EXPECT_GE(forecast.needed_bytes, result.bytes);
}

TEST(Pack, NeedsSpace) {
  EXPECT_NO_THROW(require_space(1000, 1000, "out"));
  EXPECT_NE(why<ConfigError>([] { require_space(1ULL << 30, 3ULL << 40, "out"); }).find("3.0 TiB"),
            std::string::npos);
}

}  // namespace
}  // namespace facemae
