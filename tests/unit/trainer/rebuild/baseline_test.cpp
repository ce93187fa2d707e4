#include "trainer/rebuild/baseline.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "tests/unit/data/store/small_store.h"
#include "trainer/apply/stored_images.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using testing_stores::tiny_picture;

class Baselines : public testing::Test {
 protected:
  /// Floats [B, 3, 16, 16], 0 to 255; the last row shows what the first one shows.
  torch::Tensor made(const std::string& name, std::uint8_t key = 1) { return made(baseline_from(name), key); }
  torch::Tensor made(const Baseline& baseline, std::uint8_t key = 1) {
    const auto encoded = baseline_rows(*store_, {0, 1, 2, 3}, baseline,
                                       {.mask_key = SecretKey{{key}}, .png = true}, [](std::size_t) {});
    auto images = torch::empty({4, 16, 16, 3}, torch::kUInt8);
    for (std::size_t i = 0; i < encoded.size(); ++i)
      Decoder().decode_into(encoded[i], 16, 16, std::span(images.data_ptr<std::uint8_t>() + i * 768, 768));
    return images.permute({0, 3, 1, 2}).to(torch::kFloat32);
  }
  test::TemporaryFolder folder_;
  std::shared_ptr<const Store> store_ = testing_stores::make_store(
      folder_ / "s", {2, 2}, 16, [](std::uint64_t row) { return tiny_picture(row == 3 ? 0 : row); });
  torch::Tensor real_ = load_images(*store_, {0, 1, 2, 3}).to(torch::kFloat32);
};

TEST_F(Baselines, KeepTheRealPixelsWhenAskedTo) { EXPECT_TRUE(torch::equal(made("real"), real_)); }

TEST_F(Baselines, MakeBlocksOfOneColour) {
  const auto blocks = made("mosaic:8");
  EXPECT_NEAR((blocks - real_).mean().item<double>(), 0, 0.5);
  const auto corner = blocks.slice(2, 0, 8).slice(3, 0, 8).flatten(2);
  EXPECT_EQ((corner.amax(2) - corner.amin(2)).max().item<float>(), 0);
  EXPECT_GT((blocks.amax({2, 3}) - blocks.amin({2, 3})).min().item<float>(), 0) << "but there are several";
}

TEST_F(Baselines, BlurWhatIsFine) {
  const auto blurred = made("blur:2");
  EXPECT_LT(blurred.var().item<double>(), real_.var().item<double>() / 10) << "the pictures are noise";
  EXPECT_NEAR(blurred.mean().item<double>(), real_.mean().item<double>(), 10);
  EXPECT_GT(made("blur:0.5").var().item<double>(), blurred.var().item<double>());
}

TEST_F(Baselines, AddNoiseOfTheSizeAskedForByTheContentOfAnImage) {
  const auto noisy = made("noise:5");
  // Clamped where a value is near 0 or 255.
  const auto inside = (real_ > 30).logical_and(real_ < 225);
  const auto noise = (noisy - real_).masked_select(inside);
  EXPECT_NEAR(noise.std().item<double>(), 5, 0.5);
  EXPECT_TRUE(torch::equal(noisy[0], noisy[3])) << "two noises of one face could be averaged";
  EXPECT_FALSE(torch::equal(noisy, made("noise:5", 2)));
}

TEST_F(Baselines, GreyTheShareOfPatchesThatIsAskedFor) {
  Baseline masked = baseline_from("masked:0.75");
  masked.patch = 4;  // 16 of them
  const auto faces = made(masked);
  const auto grey = (faces - 127.5).abs() < 1, kept = faces == real_;
  const auto hidden = torch::avg_pool2d(grey.to(torch::kFloat32), 4) == 1;
  EXPECT_EQ(hidden.sum().item<std::int64_t>(), 4 * 3 * 12) << "12 of 16 patches of 4 pictures";
  EXPECT_TRUE(grey.logical_or(kept).all().item<bool>());
  EXPECT_TRUE(torch::equal(faces[0], faces[3])) << "one mask a face";
  EXPECT_FALSE(torch::equal(faces, made(masked, 2)));
}

TEST(BaselineMask, NeedsPatchesThatDivideTheImage) {
  EXPECT_THROW(check_baseline(baseline_from("masked:0.5"), 24), ConfigError);
  EXPECT_NO_THROW(check_baseline(baseline_from("masked:0.5"), 64));
  EXPECT_NO_THROW(check_baseline(baseline_from("blur:1"), 24));
}

TEST(BaselineNames, SayWhatFits) {
  EXPECT_EQ(baseline_from("mosaic:8").kind, BaselineKind::Mosaic);
  EXPECT_EQ(baseline_from("blur:1.5").amount, 1.5);
  EXPECT_THAT([] { baseline_from("mosaik:8"); },
              ThrowsMessage<ConfigError>(HasSubstr("did you mean mosaic")));
  for (const char* text : {"blur", "blur:", "blur:x", "blur:0", "masked:1", "masked:0", "noise:-1",
                           "mosaic:2.5", "noise:nan", "noise:inf"})
    EXPECT_THROW(baseline_from(text), ConfigError) << text;
  EXPECT_THAT([] { baseline_from("real:1"); }, ThrowsMessage<ConfigError>(HasSubstr("takes no amount")));
  EXPECT_THAT(baseline_help(), HasSubstr("mosaic:BLOCK, blocks"));
}

}  // namespace
}  // namespace facemae
