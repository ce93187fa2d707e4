#include "data/hdf5/seal.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random/keys.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using test::TemporaryFolder;

constexpr std::size_t kBytes = 3000;
constexpr FileRange kBlob{1000, 1500};

class SealTest : public ::testing::Test {
 protected:
  SealTest() : original_(kBytes, '\0') {
    Draws draws(3);
    for (char& c : original_) c = static_cast<char>(draws.next());
    put(original_);
    append_seal(real_files(), path_, kBlob);
    sealed_ = read_file(path_);
  }
  void put(const std::string& text) {
    auto out = real_files().create(path_);
    out->write(bytes_of(text));
    out->close();
  }
  /// What check_seal() says about these bytes, "" when nothing.
  std::string fault_of(const std::string& bytes) {
    put(bytes);
    try {
      check_seal(InputFile(path_));
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("file.h5"), std::string::npos) << error.what();
      return error.what();
    }
    return "";
  }
  TemporaryFolder here_;
  Path path_ = here_ / "file.h5";
  std::string original_, sealed_;
};

TEST_F(SealTest, FollowsTheFileAndNamesItsSizeAndItsBlob) {
  EXPECT_EQ(sealed_.size(), kBytes + kSealBytes);
  EXPECT_EQ(sealed_.substr(0, kBytes), original_);
  EXPECT_EQ(sealed_.substr(kBytes, 8), "FMSEALED");
  const Seal seal = check_seal(InputFile(path_));
  EXPECT_EQ(seal.file_bytes, kBytes + kSealBytes);
  EXPECT_EQ(seal.blob.offset, kBlob.offset);
  EXPECT_EQ(seal.blob.bytes, kBlob.bytes);
  EXPECT_EQ(seal.digest, xxh128(bytes_of(original_.substr(0, 1000) + original_.substr(2500))));
}

TEST_F(SealTest, SeesEveryFlippedBitOutsideTheBlobAndNoneInside) {
  for (std::size_t bit = 0; bit < 8 * sealed_.size(); bit += bit < 8 * kBytes ? 7 : 1) {
    std::string bytes = sealed_;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const bool in_blob = bit / 8 >= kBlob.offset && bit / 8 < kBlob.offset + kBlob.bytes;
    ASSERT_EQ(fault_of(bytes).empty(), in_blob) << "bit " << bit;
  }
}

TEST_F(SealTest, SeesTruncationAppendedBytesAndACutOutPiece) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, kSealBytes, kBytes, kBytes + kSealBytes - 1})
    EXPECT_NE(fault_of(sealed_.substr(0, size)).find("truncated"), std::string::npos) << size;
  EXPECT_NE(fault_of(sealed_ + "x").find("something appended"), std::string::npos);
  EXPECT_NE(fault_of(sealed_ + std::string(kSealBytes, '\0')), "");
  EXPECT_NE(fault_of(sealed_.substr(0, 1500) + sealed_.substr(1600)).find("its seal says"),
            std::string::npos);
}

TEST_F(SealTest, OfAFileWithoutABlobFixesEveryByte) {
  put(original_);
  append_seal(real_files(), path_, {});
  EXPECT_EQ(check_seal(InputFile(path_)).digest, xxh128(bytes_of(original_)));
}

TEST(SealHasher, GivesTheSameDigestsHoweverTheFileIsCut) {
  std::string text(5000, 'a');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i);
  for (const FileRange blob : {FileRange{0, 0}, FileRange{0, 5000}, FileRange{100, 1}, FileRange{4096, 904}})
    for (const std::size_t step : {1, 7, 100, 4096, 5000}) {
      SealHasher hasher(blob);
      for (std::size_t at = 0; at < text.size(); at += step)
        hasher.add(at, bytes_of(text).subspan(at, std::min(step, text.size() - at)));
      EXPECT_EQ(hasher.blob(), xxh128(bytes_of(text.substr(blob.offset, blob.bytes))));
      EXPECT_EQ(hasher.rest(),
                xxh128(bytes_of(text.substr(0, blob.offset) + text.substr(blob.offset + blob.bytes))));
    }
}

}  // namespace
}  // namespace facemae
