#include "trainer/tasks/task_flops.h"

#include <gtest/gtest.h>

#include "model/facemae/flops.h"
#include "model/recognition/flops.h"

namespace facemae {
namespace {

const FaceMaeConfig kModel = face_mae_config("tiny", 112, 8);
const Flops kEmbedder = flops_of(RandomEmbedderConfig{.size = 56, .width = 32});

TEST(TaskFlops, OfPretrainingAreModelAndEmbedder) {
  PretrainConfig config;
  const auto of = flops_of(kModel, config.mask_ratio);
  EXPECT_EQ(pretraining_flops(config, kModel, {}), of.encoder.trained() + 3 * of.decoder);
  EXPECT_EQ(pretraining_flops(config, kModel, kEmbedder) - pretraining_flops(config, kModel, {}),
            3 * kEmbedder.forward);
}

TEST(TaskFlops, OfABlendDecodeOnePictureOfManyPhotos) {
  PretrainConfig config;
  config.blend = "people:4";
  config.blend_images = 8;
  const auto of = flops_of(kModel, config.mask_ratio);
  EXPECT_DOUBLE_EQ(pretraining_flops(config, kModel, {}), of.encoder.trained() + 3 * of.decoder / 8);
  EXPECT_DOUBLE_EQ(pretraining_flops(config, kModel, kEmbedder) - pretraining_flops(config, kModel, {}),
                   2 * kEmbedder.forward / 8 + kEmbedder.forward);
}

TEST(TaskFlops, OfRecognitionAreNetworkAndSoftmax) {
  RecognizeConfig config;
  config.network = "iresnet18";
  EXPECT_EQ(recognition_flops(config, 93'431), network_flops("iresnet18").trained() + 3 * 2.0 * 512 * 93'431);
}

}  // namespace
}  // namespace facemae
