#include "trainer/apply/kept_embeddings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error.h"
#include "evaluation/linkage/npy.h"
#include "tests/temporary_folder.h"
#include "tests/why.h"

namespace facemae {
namespace {

using testing::HasSubstr;

class KeptEmbeddings : public testing::Test {
 protected:
  const test::TemporaryFolder here;
  const Path file = here / "kept.npy";
  const torch::Tensor rows = torch::arange(12, torch::kFloat32).view({3, 4});
  static ImageSet named(const std::vector<std::string>& names) {
    return images_of(std::vector<Path>(names.size()), names);
  }
  const ImageSet images = named({"a.jpg", "b.jpg", "c.jpg"});
  std::string refused(const ImageSet& other, bool flip_sum = true) const {
    return test::why<DataError>([&] { kept_embeddings(file, other, flip_sum); });
  }
};

TEST_F(KeptEmbeddings, AreReadAsTheyWereWritten) {
  keep_embeddings(file, images, rows, true);
  const auto kept = kept_embeddings(file, images, true);
  EXPECT_TRUE(kept.rows.equal(rows));
  EXPECT_FALSE(kept.xnorm);
}

TEST_F(KeptEmbeddings, OfOtherImagesAreRefused) {
  keep_embeddings(file, images, rows, true);
  EXPECT_THAT(refused(named({"a.jpg", "c.jpg", "b.jpg"})), HasSubstr("it is of other images"));
  EXPECT_THAT(refused(named({"a.jpg"})), HasSubstr("has 3 embeddings, but there are 1 images"));
  EXPECT_THAT(refused(images, false), HasSubstr("leave out --no-flip"));
  keep_embeddings(file, images, rows, false);
  EXPECT_THAT(refused(images), HasSubstr("give --no-flip"));
  write_npy(real_files(), file, rows + 1);
  EXPECT_THAT(refused(images, false), HasSubstr("not those that it was written with"));
  write_durably(real_files(), file.string() + ".json", "[");
  EXPECT_THAT(refused(images, false), HasSubstr("is no JSON object"));
}

TEST_F(KeptEmbeddings, OfOtherProgramsAreComparedByTheirNumber) {
  write_npy(real_files(), file, rows);
  EXPECT_TRUE(kept_embeddings(file, images, true).rows.equal(rows));
  EXPECT_THAT(refused(named({"a.jpg", "b.jpg"})), HasSubstr("there are 2 images"));
}

}  // namespace
}  // namespace facemae
