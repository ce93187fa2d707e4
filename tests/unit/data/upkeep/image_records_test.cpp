#include "data/upkeep/image_records.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using Rows = std::vector<std::uint64_t>;

std::string source_of(std::uint64_t row) {
  return "planted-name/planted-file-" + std::to_string(row) + ".jpg";
}

class Records : public testing::Test {
 protected:
  Records() : store_(testing_stores::make_store(here_ / "store", {20, 12, 8}, 16)) {}
  /// Every second row of the store, and of these every second one.
  std::shared_ptr<const Store> view_of_view() const {
    Rows half, quarter;
    for (std::uint64_t i = 0; i < 20; ++i) half.push_back(2 * i);
    for (std::uint64_t i = 0; i < 10; ++i) quarter.push_back(2 * i);
    write_view(real_files(), here_ / "half", *store_, half, std::vector<std::int64_t>(20, 0), 1, {"one"});
    const auto parent = Store::open(here_ / "half");
    write_view(real_files(), here_ / "quarter", *parent, quarter, std::vector<std::int64_t>(10, 0), 1,
               {"one"});
    return Store::open(here_ / "quarter");
  }
  static std::string fault_of(const Store& store, const std::vector<std::string>& words) {
    try {
      rows_named(store, ImageRecords(store.folder()), words, "--image");
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  test::TemporaryFolder here_;
  std::shared_ptr<const Store> store_;
};

TEST_F(Records, TellBytesAndEncodingOfEachRow) {
  const auto view = view_of_view();
  const ImageRecords of_store(here_ / "store"), of_view(here_ / "quarter");
  std::vector<std::byte> image;
  for (std::uint64_t row = 0; row < view->size(); ++row) {
    view->read(row, image);
    EXPECT_EQ(of_view.bytes(row), image.size());
    EXPECT_EQ(of_store.bytes(4 * row), image.size());
    EXPECT_EQ(of_view.flags(row), 0);
  }
  EXPECT_THROW(of_view.bytes(10), DataError);
}

TEST_F(Records, FindRowsByTheNamesOfTheirSources) {
  const auto view = view_of_view();
  const ImageRecords of_store(here_ / "store"), of_view(here_ / "quarter");
  EXPECT_EQ(rows_named(*store_, of_store, {source_of(17), "3", source_of(0)}, ""), (Rows{17, 3, 0}));
  EXPECT_EQ(rows_named(*view, of_view, {source_of(8), "9"}, ""), (Rows{2, 9}));
  EXPECT_THAT(fault_of(*view, {source_of(7)}), testing::HasSubstr("1 of 1 name no image"))
      << "the view leaves it out";
}

TEST_F(Records, ExplainWhatNamesNoImage) {
  const std::string fault = fault_of(*store_, {"5", "40", "-1", "1.jpg", "planted-name-1/x.jpg",
                                               "planted-nane-2/x.jpg", "99999999999999999999999"});
  for (const char* part :
       {"6 of 7", "\"40\": there are rows 0..39", "\"-1\": expected a row or identity/file name",
        "\"1.jpg\": expected", "planted-name-1 has 12 images, none from a file of this name",
        "did you mean planted-name-2?"})
    EXPECT_THAT(fault, testing::HasSubstr(part));
}

TEST_F(Records, OfAReleaseHoldNeitherSourcesNorEncodings) {
  std::filesystem::create_directories(here_ / "released");
  const std::vector<std::vector<std::byte>> images{testing_stores::tiny_picture(1)};
  ShardContent content{.uuid = "u", .image_size = 16, .images = images, .labels = {0}};
  StoreManifest manifest;
  manifest.uuid = "u";
  manifest.image_size = 16;
  manifest.identities = 1;
  manifest.released = true;
  manifest.shards.push_back(write_shard(real_files(), here_ / "released", content));
  complete_manifest(manifest, content.labels);
  write_manifest(real_files(), here_ / "released", manifest);
  const auto released = Store::open(here_ / "released");
  const ImageRecords records(here_ / "released");
  EXPECT_FALSE(records.has_sources());
  EXPECT_EQ(records.flags(0), std::nullopt);
  EXPECT_EQ(records.bytes(0), images[0].size());
  EXPECT_EQ(rows_named(*released, records, {"0"}, ""), Rows{0});
  EXPECT_THAT(fault_of(*released, {source_of(0)}), testing::HasSubstr("knows no source names"));
}

}  // namespace
}  // namespace facemae
