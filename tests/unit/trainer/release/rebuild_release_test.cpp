#include "trainer/release/rebuild_release.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "cluster/host/agree.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"
#include "trainer/release/closing_audit.h"
#include "trainer/release/rebuild_begin.h"
#include "trainer/step/precision.h"

namespace facemae {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class RebuiltReleases : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    store_ = testing_stores::make_store(folder_ / "s", {4, 3, 2}, 16, [](std::uint64_t row) {
      return testing_stores::tiny_picture(row == 8 ? 0 : row);  // row 8 repeats row 0
    });
    test::write_model(folder_ / "mae.safetensors", test::small_model());
    config_ = {.store = folder_ / "s",
               .out = folder_ / "out",
               .private_folder = folder_ / "hidden",
               .from = folder_ / "mae.safetensors",
               .shard_images = 3};
  }
  RebuiltRelease make() {
    const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
    return rebuild_release(*world, config_, [&] { ++claimed_; });
  }
  void expect_refused(const std::string& message) {
    EXPECT_THAT([&] { make(); }, ThrowsMessage<AgreedError>(HasSubstr(message)));
    EXPECT_FALSE(std::filesystem::exists(config_.out));
  }
  test::TemporaryFolder folder_;
  std::shared_ptr<const Store> store_;
  ReconstructConfig config_;
  int claimed_ = 0;
};

TEST_F(RebuiltReleases, HoldEveryPictureOnceAndAreAudited) {
  const RebuiltRelease made = make();
  EXPECT_EQ(made.images, 8U);
  EXPECT_EQ(made.copies, 1U);
  EXPECT_EQ(made.identities, 3);
  EXPECT_EQ(made.mask_ratio, 0.5);
  EXPECT_EQ(made.code, ExitCode::Done);
  EXPECT_EQ(claimed_, 1);
  ASSERT_TRUE(made.audit);
  EXPECT_EQ(made.audit->pictures, 8);
  EXPECT_EQ(made.audit->photos, 8);
  ASSERT_NE(made.audit->at(Level::OwnPicture), nullptr);
  EXPECT_THAT(
      closing_audit_text(*made.audit),
      AllOf(HasSubstr("quick audit: of 8 rebuilt faces in 3 classes, among 8 photos of 3 people"),
            HasSubstr("links a picture to its original"), HasSubstr("The intervals rest on 3 people only")));
  const auto released = Store::open(config_.out);
  EXPECT_EQ(released->size(), 8U);
  EXPECT_EQ(released->shards().size(), 3U);

  const auto digest = released->dataset_digest();
  EXPECT_EQ(make().images, 8U) << "the same command again";
  EXPECT_EQ(Store::open(config_.out)->dataset_digest(), digest);
}

TEST_F(RebuiltReleases, InBFloat16DifferInLastBitsAndGoOnInNoOtherPrecision) {
  config_.codec = "png";
  make();
  const auto exact = Store::open(config_.out);
  config_.out = folder_ / "fast";
  config_.second_release = "the same in another precision";
  config_.precision = "bfloat16";
  try {
    precision_for("bfloat16", torch::kCPU);
  } catch (const ConfigError&) {
    expect_refused("bfloat16");
    GTEST_SKIP() << "this processor has no bfloat16";
  }
  make();
  const auto fast = Store::open(config_.out);
  ASSERT_EQ(fast->size(), exact->size());
  EXPECT_NE(fast->dataset_digest(), exact->dataset_digest());
  config_.precision = "float32";
  EXPECT_THAT([&] { make(); }, ThrowsMessage<AgreedError>(HasSubstr("begun with other settings")));
}

TEST_F(RebuiltReleases, OfCodesSayWhatTheirNoisePromises) {
  test::write_model(folder_ / "coded.safetensors", test::small_model(16, 4));
  testing_stores::make_store(folder_ / "others", {2, 2}, 16,
                             [](std::uint64_t row) { return testing_stores::tiny_picture(70 + row); });
  config_.code_noise = "mu:1";
  config_.nuisance = folder_ / "others";
  expect_refused("was trained without a code");
  config_.from = folder_ / "coded.safetensors";
  config_.nuisance = "";
  expect_refused("give --code-noise mu:X, and --nuisance STORE");
  config_.nuisance = config_.store;
  expect_refused("is the source of the release");
  config_.nuisance = folder_ / "others";
  const RebuiltRelease made = make();
  EXPECT_EQ(made.images, 8U);
  ASSERT_TRUE(made.audit);
  EXPECT_EQ(made.audit->at(Level::OwnPicture), nullptr) << "a picture is of all photos of its class";
  const auto digest = Store::open(config_.out)->dataset_digest();
  const auto link = read_link(config_.private_folder, digest.hex());
  for (std::uint64_t picture = 0; picture < link.pictures(); ++picture)
    EXPECT_GT(link.sources_of(picture).size(), 1U);
  EXPECT_EQ(make().images, 8U);
  EXPECT_EQ(Store::open(config_.out)->dataset_digest(), digest);
  const std::string text = read_plain_file(Path(config_.out) / "RELEASE.md");
  EXPECT_THAT(
      text, AllOf(HasSubstr("| guarantee | 1-GDP"), HasSubstr("| epsilon at delta 1e-05 | 4.38 |"),
                  HasSubstr("mu 3 (3 photos at most)"), HasSubstr("one photo, replaced by any other"),
                  testing::Not(HasSubstr("unmasked patches")), testing::Not(HasSubstr("No formal privacy"))));
  config_.code_noise = "mu:2";
  EXPECT_THAT([&] { make(); }, ThrowsMessage<AgreedError>(HasSubstr("was begun with other settings")));
}

TEST_F(RebuiltReleases, OfCodesOfGroupsOfPeopleAreBothAtOnce) {
  test::write_model(folder_ / "coded.safetensors", test::small_model(16, 4));
  testing_stores::make_store(folder_ / "others", {2, 2}, 16,
                             [](std::uint64_t row) { return testing_stores::tiny_picture(70 + row); });
  config_.from = folder_ / "coded.safetensors";
  config_.code_noise = "mu:1";
  config_.nuisance = folder_ / "others";
  config_.blend = blend_from("people:2", 2, 1);
  const RebuiltRelease made = make();
  EXPECT_EQ(made.identities, 1);
  EXPECT_EQ(made.people_left_out, 1U);
  ASSERT_TRUE(made.audit);
  EXPECT_EQ(made.audit->at(Level::OwnPicture), nullptr);
  const Measurement* found = made.audit->at(Level::PictureToPerson);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->people_per_class, 2);
  const auto digest = Store::open(config_.out)->dataset_digest();
  const auto link = read_link(config_.private_folder, digest.hex());
  for (std::uint64_t picture = 0; picture < link.pictures(); ++picture)
    EXPECT_GE(link.sources_of(picture).size(), 5U) << "all photos of both people lend to the code";
  EXPECT_THAT(read_file(Path(config_.out) / "RELEASE.md"),
              AllOf(HasSubstr("Anonymity among 2 people"), HasSubstr("| guarantee | 1-GDP")));
}

TEST_F(RebuiltReleases, GoOnWithTheSameSettingsAlone) {
  make();
  config_.quality = 80;
  EXPECT_THAT([&] { make(); }, ThrowsMessage<AgreedError>(HasSubstr("was begun with other settings")));
}

TEST_F(RebuiltReleases, OfABlendSayWhatTheyAreAndAreAudited) {
  config_.blend = blend_from("people:2", 2, 1);
  const RebuiltRelease made = make();
  EXPECT_EQ(made.identities, 1);
  EXPECT_EQ(made.people_left_out, 1U) << "one of three is left over";
  ASSERT_TRUE(made.audit);
  EXPECT_EQ(made.audit->people, 2);
  EXPECT_EQ(made.audit->at(Level::OwnPicture), nullptr) << "a blend has none";
  const Measurement* found = made.audit->at(Level::PictureToPerson);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->people_per_class, 2);
  EXPECT_EQ(found->found.value, 1) << "there is one class only";
  EXPECT_THAT(closing_audit_text(*made.audit),
              AllOf(HasSubstr("finds one of the people of a picture"), HasSubstr("odds of 50.0 %")));
  EXPECT_THAT(read_file(Path(config_.out) / "RELEASE.md"),
              AllOf(HasSubstr("means of tokens of 2 masked real images, of 2 people each"),
                    HasSubstr("Anonymity among 2 people"), HasSubstr("Membership is not hidden"),
                    HasSubstr("Two partitions of the same people would give them away"),
                    HasSubstr("| people of the source left out | 1 |"), HasSubstr("| classes | 1 |")));

  const auto digest = Store::open(config_.out)->dataset_digest();
  std::filesystem::remove(Path(config_.out) / "manifest.h5");
  std::filesystem::remove(Path(config_.out) / "shard-00000.h5");
  make();
  EXPECT_EQ(Store::open(config_.out)->dataset_digest(), digest) << "gone on with: the same pictures";
  config_.blend = blend_from("people:2", 4, 1);
  EXPECT_THAT([&] { make(); }, ThrowsMessage<AgreedError>(HasSubstr("was begun with other settings")));
}

TEST_F(RebuiltReleases, OfABaselineNeedNoModel) {
  config_.from = "";
  config_.baseline = baseline_from("mosaic:8");
  const RebuiltRelease made = make();
  EXPECT_EQ(made.images, 8U);
  EXPECT_EQ(made.model_hash, "");
  ASSERT_TRUE(made.audit && made.audit->at(Level::OwnPicture));
  EXPECT_THAT(read_file(Path(config_.out) / "RELEASE.md"),
              AllOf(HasSubstr("coarse blocks"), HasSubstr("| made by | --baseline mosaic:8 |"),
                    HasSubstr("to be compared with rebuilt faces, not to be published")));
  config_.baseline = baseline_from("masked:0.5");
  config_.out = folder_ / "masked";
  config_.second_release = "a test";
  EXPECT_EQ(make().images, 8U);
  config_.baseline = baseline_from("real");
  config_.out = folder_ / "real";
  make();
  EXPECT_THAT(read_file(Path(config_.out) / "RELEASE.md"), HasSubstr("REAL FACES"));
}

TEST_F(RebuiltReleases, AreRefusedBeforeAnythingIsWritten) {
  const auto good = config_;
  test::write_model(folder_ / "large.safetensors", test::small_model(32));
  config_.from = folder_ / "large.safetensors";
  expect_refused("trained on images of 32 pixels, the store has 16");
  test::write_model(folder_ / "hidden.safetensors", test::small_model(), "hidden");
  config_.from = folder_ / "hidden.safetensors";
  expect_refused("--reconstruction hidden");
  config_ = good;
  config_.images_per_identity = 5;
  EXPECT_THROW(make(), AgreedError) << "nobody has as many";
  EXPECT_EQ(claimed_, 0);
  config_ = good;
  config_.private_folder = Path(config_.out) / "hidden";
  EXPECT_THROW(make(), AgreedError);
  EXPECT_EQ(claimed_, 0);
}

TEST_F(RebuiltReleases, KnowTheirOriginalsInTheOrderOfTheRows) {
  AloneControl control;
  const auto originals = gather_originals(control, *store_);
  ASSERT_EQ(originals.size(), 9U);
  EXPECT_EQ(originals[0], originals[8]);
  EXPECT_NE(originals[0], originals[1]);
}

}  // namespace
}  // namespace facemae
