// What a pack makes of rejects and of storage that fails, and how it goes on after both.
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <span>

#include "core/error.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/pack/pack_on_ranks.h"
#include "tests/why.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test::why;
using test_images::contents;
using test_images::pack_on;
using test_images::picture;
using test_images::put;
using test_images::put_faces;
using test_images::quiet;
using test_images::TemporaryFolder;

constexpr std::size_t kUntilShardsAreMade = 6;  ///< phases; the policy's verdict comes next

std::string refused(const ImageSource& source, const PackConfig& config) {
  return why<DataError>([&] { pack(source, config, real_files()); });
}

TEST(PackGoesOn, ARefusalKeepsEveryShardForALargerFraction) {
  TemporaryFolder here;
  put_faces(here / "faces", 6, 8);
  put(here / "faces/id-2/bad.jpg", bytes_of("no image"));
  const auto source = folder_source({here / "faces"});
  auto config = quiet(here / "store");
  const auto shards = [&] {
    config.out = here / "expected";
    config.max_reject_fraction = 0.1;
    return pack(*source, config, real_files()).shards;
  }();
  config.out = here / "store";
  Packing first(*source, config, real_files());  // finishes all shards, then is killed
  for (const auto phases = first.phases(); const auto& phase : std::span(phases).first(kUntilShardsAreMade))
    phase();
  config.max_reject_fraction = 0;
  const std::string reason = refused(*source, config);
  EXPECT_NE(reason.find("--max-reject-fraction 0.021 or more to continue"), std::string::npos) << reason;
  config.max_reject_fraction = 0.021;
  const auto result = pack(*source, config, real_files());
  EXPECT_EQ(result.resumed_shards, shards);
  EXPECT_EQ(result.rejects, 1u);
  EXPECT_EQ(contents(config.out), contents(here / "expected"));
}

TEST(PackGoesOn, MendedImagesAreReadAgain) {
  TemporaryFolder here;
  put_faces(here / "faces", 6, 8);
  const Path bad = here / "faces/id-2/bad.jpg", gone = here / "faces/id-3/gone.jpg";
  put(bad, bytes_of("no image"));
  fs::create_symlink("nowhere.jpg", gone);
  auto config = quiet(here / "store");
  config.max_reject_fraction = 0.1;
  {
    const auto source = folder_source({here / "faces"});
    Packing first(*source, config, real_files());
    for (const auto phases = first.phases(); const auto& phase : std::span(phases).first(kUntilShardsAreMade))
      phase();
  }
  config.max_reject_fraction = 0;
  EXPECT_NE(refused(*folder_source({here / "faces"}), config).find("2 of 50 images"), std::string::npos);
  put(bad, encode_jpeg(picture(990)));
  EXPECT_NE(refused(*folder_source({here / "faces"}), config).find("1 of 50 images"), std::string::npos);
  fs::remove(gone);
  put(gone, encode_jpeg(picture(991)));
  const auto mended = folder_source({here / "faces"});
  const auto result = pack_on(2, *mended, config);
  EXPECT_EQ(result.rejects, 0u);
  EXPECT_EQ(result.images, 50u);
  EXPECT_GT(result.resumed_shards, 0u) << "shards without them are kept";
  EXPECT_EQ(pack(*mended, config, real_files()).resumed_images, 50u)
      << "finished, as the same command is told";
  put(here / "faces/id-1/image-1.jpg", encode_jpeg(picture(992)));
  EXPECT_NE(why<ConfigError>([&] { pack(*mended, config, real_files()); }).find("content_sample"),
            std::string::npos)
      << "another image is no mended one";
}

/// Another source's images; the storage of some entries fails so many times.
class Shaky final : public ImageSource {
 public:
  Shaky(const ImageSource& images, int code) : images_(images), code_(code) {}
  std::uint64_t identities() const override { return images_.identities(); }
  std::string identity_name(std::uint64_t label) const override { return images_.identity_name(label); }
  std::uint64_t size() const override { return images_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return images_.label(entry); }
  std::string name(std::uint64_t entry) const override { return images_.name(entry); }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    if (entry % 5 == 3 && ++tries_[entry] <= failures) throw FileError("reading: failed by the test", code_);
    return images_.read(entry);
  }
  int failures = 0;

 private:
  const ImageSource& images_;
  int code_;
  mutable std::map<std::uint64_t, int> tries_;
};

TEST(PackGoesOn, StorageThatFailsForAMomentRejectsNothing) {
  TemporaryFolder here;
  put_faces(here / "faces", 6, 8);
  const auto folder = folder_source({here / "faces"});
  auto config = quiet(here / "undisturbed");
  pack(*folder, config, real_files());
  config.patience.first_pause = config.patience.longest_pause = std::chrono::milliseconds(1);
  for (const int code : {EIO, ESTALE, EMFILE, ETIMEDOUT, ENOMEM}) {
    Shaky source(*folder, code);
    source.failures = 2;
    config.out = here / ("store-" + std::to_string(code));
    EXPECT_EQ(pack(source, config, real_files()).rejects, 0u);
    EXPECT_EQ(contents(config.out), contents(here / "undisturbed"));
  }
}

TEST(PackGoesOn, StorageThatFailsForLongEndsThePackWhichGoesOnLater) {
  TemporaryFolder here;
  put_faces(here / "faces", 20, 8);  // more than the sample that the plan looks at
  const auto folder = folder_source({here / "faces"});
  auto config = quiet(here / "store");
  config.patience = {.first_pause = std::chrono::milliseconds(1),
                     .longest_pause = std::chrono::milliseconds(1),
                     .give_up_after = std::chrono::milliseconds(20)};
  pack(*folder, quiet(here / "undisturbed"), real_files());
  Shaky source(*folder, ESTALE);
  Packing interrupted(source, config, real_files());
  source.failures = 1 << 30;
  try {
    for (const auto& phase : interrupted.phases()) phase();
    FAIL() << "a store with holes was made";
  } catch (const FileError& error) {
    EXPECT_EQ(error.code(), ESTALE);
    EXPECT_NE(std::string(error.what()).find("id-"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(fs::exists(config.out / "packing/settings.json"));
  EXPECT_FALSE(fs::exists(config.out / "rejects.csv"));
  EXPECT_EQ(pack(*folder, config, real_files()).rejects, 0u);
  EXPECT_EQ(contents(config.out), contents(here / "undisturbed"));
  source.failures = 1 << 30;
  config.out = here / "planned";
  EXPECT_THROW(pack(source, config, real_files()), FileError) << "nor is the sample taken for bad images";
}

}  // namespace
}  // namespace facemae
