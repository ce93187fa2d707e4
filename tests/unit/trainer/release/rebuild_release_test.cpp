#include "trainer/release/rebuild_release.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "cluster/host/agree.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"
#include "trainer/release/closing_audit.h"
#include "trainer/release/rebuild_begin.h"

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
               .from = folder_ / "mae.safetensors",
               .out = folder_ / "out",
               .private_folder = folder_ / "hidden",
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
  EXPECT_EQ(made.audit->probes, 8);
  EXPECT_THAT(closing_audit_text(*made.audit),
              AllOf(HasSubstr("quick pixel audit: of 8 rebuilt faces of 3 people"),
                    HasSubstr("The interval rests on 3 people only")));
  const auto released = Store::open(config_.out);
  EXPECT_EQ(released->size(), 8U);
  EXPECT_EQ(released->shards().size(), 3U);

  const auto digest = released->dataset_digest();
  EXPECT_EQ(make().images, 8U) << "the same command again";
  EXPECT_EQ(Store::open(config_.out)->dataset_digest(), digest);
}

TEST_F(RebuiltReleases, GoOnWithTheSameSettingsAlone) {
  make();
  config_.quality = 80;
  EXPECT_THAT([&] { make(); }, ThrowsMessage<AgreedError>(HasSubstr("was begun with other settings")));
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
