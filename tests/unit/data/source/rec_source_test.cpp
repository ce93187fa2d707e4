#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "core/error.h"
#include "core/log.h"
#include "data/formats/recordio.h"
#include "data/source/source.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using test_images::put;
using test_images::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
/// A .rec in memory with its .idx.
struct Rec {
  std::vector<std::byte> bytes;
  std::string index;
  void add(std::uint64_t key, std::vector<float> labels, const std::string& image, float label = 0) {
    index += fmt::format("{}\t{}\n", key, bytes.size());
    const auto record = write_record(write_image_record(
        {.label = label, .id = key, .id2 = 0, .labels = std::move(labels), .image = bytes_of(image)}));
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
  std::unique_ptr<ImageSource> open(const TemporaryFolder& here, bool with_index) const {
    put(here / "train.rec", bytes);
    std::filesystem::remove(here / "train.idx");
    if (with_index) put(here / "train.idx", bytes_of(index));
    return rec_source(here / "train.rec", false);
  }
};
const std::string kMagicInside = "\x0a\x23\xd7\xce";

Rec insightface() {
  Rec rec;
  rec.add(0, {5, 7}, "");
  rec.add(1, {}, "first", 1);
  rec.add(2, {0, 1}, "second of zero");
  rec.add(3, {1, 1}, kMagicInside + "in two parts");
  rec.add(4, {}, "fourth", 0);
  rec.add(5, {2, 3}, "");
  rec.add(6, {1, 2}, "");
  return rec;
}

TEST(RecSource, ReadsInsightFacesDialectWithAndWithoutIndex) {
  for (const bool with_index : {true, false}) {
    TemporaryFolder here;
    const auto source = insightface().open(here, with_index);
    EXPECT_THAT(source->identity_names(), ElementsAre("0", "1"));
    ASSERT_EQ(source->size(), 4u);
    std::vector<std::string> names, images;
    for (std::uint64_t entry = 0; entry < 4; ++entry) {
      names.push_back(source->name(entry));
      images.push_back(text_of(source->read(entry)));
    }
    EXPECT_THAT(names, ElementsAre("0/2", "0/4", "1/1", "1/3"));
    EXPECT_THAT(images, ElementsAre("second of zero", "fourth", "first", kMagicInside + "in two parts"));
    EXPECT_EQ(source->label(3), 1);
    EXPECT_EQ(source->archives(), 0u);
  }
}

TEST(RecSource, ReadsThePlainDialectWhateverTheOrderOfTheIndex) {
  Rec rec;
  rec.add(0, {}, "a", 12);
  rec.add(7, {3, 0.5F, 0.25F}, "b");
  rec.add(3, {}, "c", 3);
  for (const bool with_index : {true, false}) {
    TemporaryFolder here;
    const auto source = rec.open(here, with_index);
    EXPECT_THAT(source->identity_names(), ElementsAre("03", "12"));  // gaps are closed, numbers stay as names
    EXPECT_EQ(source->name(0), with_index ? "03/3" : "03/1");
    EXPECT_EQ(text_of(source->read(0)), with_index ? "c" : "b");
    EXPECT_EQ(text_of(source->read(2)), "a");
  }
}

TEST(RecSource, NoTruncationPassesForAWholeFile) {
  TemporaryFolder here;
  const Rec whole = insightface();
  for (std::size_t length = 0; length < whole.bytes.size(); ++length) {
    Rec cut = whole;
    cut.bytes.resize(length);
    const auto read_all = [&](bool with_index) {
      return why<Error>([&] {
        const auto source = cut.open(here, with_index);
        for (std::uint64_t entry = 0; entry < source->size(); ++entry) source->read(entry);
      });
    };
    EXPECT_NE(read_all(true), "") << length;
    EXPECT_NE(read_all(false), "") << length;
  }
}

TEST(RecSource, NoDamagedLengthOrLabelCountIsBelieved) {
  TemporaryFolder here;
  for (const std::size_t offset : {4, 6, 7, 8, 11, 44, 47, 48, 51, 55}) {
    for (const unsigned char value : {0xff, 0x80, 0x1f, 0x7f}) {
      if (offset == 44 && value == 0x1f) continue;  // 31 bytes for 29: within the padding, nothing tells
      Rec rec = insightface();
      rec.bytes[offset] = std::byte{value};
      const std::string fault = why<Error>([&] {
        const auto source = rec.open(here, true);
        for (std::uint64_t entry = 0; entry < source->size(); ++entry) source->read(entry);
      });
      EXPECT_NE(fault, "") << offset << " " << int{value};
    }
  }
}

TEST(RecSource, SaysWhatIsWrongAndWhere) {
  TemporaryFolder here;
  Rec rec = insightface();
  rec.bytes[40] = std::byte{1};
  EXPECT_THAT(why<Error>([&] { rec.open(here, true); }),
              testing::AllOf(HasSubstr("train.rec: record 1, offset 40"), HasSubstr("no RecordIO record")));
  EXPECT_THAT(why<Error>([&] { rec.open(here, false); }), HasSubstr("record 1, offset 40"));

  Rec cut = insightface();
  cut.index = "0\t0\n1\t40\n";
  EXPECT_THAT(why<Error>([&] { cut.open(here, true); }), HasSubstr("announces 4 images, 1 are listed"));
  cut.index = "0\t0\n1\t99999996\n";
  EXPECT_THAT(why<Error>([&] { cut.open(here, true); }), HasSubstr("belongs to another .rec"));

  Rec odd;
  odd.add(0, {}, "a", 0.5F);
  EXPECT_THAT(why<Error>([&] { odd.open(here, false); }), HasSubstr("0.5 is not a class number"));
  EXPECT_THAT(why<Error>([&] { rec_source(here / "missing.rec", false); }), HasSubstr("does not exist"));
  put(here / "empty.rec", {});
  EXPECT_THAT(why<Error>([&] { rec_source(here / "empty.rec", false); }), HasSubstr("no images"));
  EXPECT_THAT(why<Error>([&] { rec_source(here.path(), false); }), HasSubstr("2 .rec files"));
}

TEST(RecSource, ARecordWithoutItsImageIsAReject) {
  TemporaryFolder here;
  Rec rec;
  rec.add(0, {}, "a", 0);
  rec.add(1, {}, "", 0);
  const auto source = rec.open(here, true);
  ASSERT_EQ(source->size(), 2u);
  EXPECT_THAT(why<Error>([&] { source->read(1); }), HasSubstr("holds no image"));
}

TEST(RecSource, ClassNumbersThatFloatsCannotCountAreReported) {
  TemporaryFolder here;
  Rec rec;
  rec.add(0, {}, "a", 16777216);
  rec.add(1, {}, "b", 5);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto source = rec.open(here, true);
  spdlog::default_logger()->flush();
  const std::string said = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("1 image(s) have class numbers from 16777216 on"));
  EXPECT_THAT(source->identity_names(), ElementsAre("00000005", "16777216"));
}

TEST(RecSource, AHeaderThatFloatsCannotCountIsNotBelieved) {
  TemporaryFolder here;
  Rec rec;
  rec.add(0, {42474560, 44534464}, "");
  rec.add(1, {}, "a", 0);
  rec.add(2, {}, "b", 1);
  rec.add(3, {1, 2}, "");  // an identity record: no image
  const auto source = rec.open(here, true);
  ASSERT_EQ(source->size(), 2u);
  EXPECT_EQ(text_of(source->read(1)), "b");
}

Path shared(const std::string& name) {
  const char* folder = std::getenv("FACEMAE_SHARED_DATA");
  return Path(folder == nullptr ? "" : folder) / "formats" / name;
}

TEST(RecSource, ReadsARecOfInsightFace) {
  const Path folder = shared("insightface_rec_20x10");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there (FACEMAE_SHARED_DATA)";
  const auto source = rec_source(folder, false);
  EXPECT_EQ(source->size(), 200u);
  EXPECT_EQ(source->identity_names().size(), 20u);
  TemporaryFolder here;
  std::filesystem::copy_file(folder / "train.rec", here / "train.rec");
  const auto scanned = rec_source(here / "train.rec", false);
  ASSERT_EQ(scanned->size(), 200u);
  for (std::uint64_t entry = 0; entry < 200; ++entry) {
    EXPECT_EQ(source->label(entry), static_cast<std::int64_t>(entry / 10));
    const auto bytes = source->read(entry);
    EXPECT_EQ(Decoder().header(bytes).width, 112);
    EXPECT_EQ(scanned->name(entry), source->name(entry));
    EXPECT_EQ(scanned->read(entry), bytes);
  }
}

TEST(RecSource, ReadsARecOfIm2rec) {
  const Path folder = shared("mxnet_rec");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there (FACEMAE_SHARED_DATA)";
  const auto source = rec_source(folder, false);  // nine labels a record; the first is 4 in all
  ASSERT_EQ(source->size(), 12u);
  EXPECT_THAT(source->identity_names(), ElementsAre("4"));
  for (std::uint64_t entry = 0; entry < 12; ++entry)
    EXPECT_GT(Decoder().decode(source->read(entry)).width, 100);
}

}  // namespace
}  // namespace facemae
