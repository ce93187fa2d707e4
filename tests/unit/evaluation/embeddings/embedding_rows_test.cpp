#include "evaluation/embeddings/embedding_rows.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "evaluation/linkage/npy.h"
#include "tests/temporary_folder.h"
#include "tests/why.h"

namespace facemae {
namespace {

using testing::HasSubstr;

class EmbeddingFile : public testing::Test {
 protected:
  Path put(const torch::Tensor& array) const {
    write_npy(real_files(), here_ / "array.npy", array);
    return here_ / "array.npy";
  }
  std::string refusal(const torch::Tensor& array) const {
    return test::why<DataError>([&] {
      const auto rows = embeddings_in(put(array));
      rows->block(0, rows->rows());
    });
  }
  test::TemporaryFolder here_;
};

TEST_F(EmbeddingFile, GivesRowsOfNormOneInAnyPiece) {
  torch::manual_seed(1);
  auto array = torch::randn({50, 7}) * 9;
  array[3].zero_();
  const auto file = embeddings_in(put(array)), held = embeddings_of(array);
  ASSERT_EQ(file->rows(), 50);
  ASSERT_EQ(file->width(), 7);
  EXPECT_TRUE(file->block(11, 20).equal(held->block(11, 20)));
  const std::vector<std::int64_t> some{49, 0, 3, 3};
  EXPECT_TRUE(file->pick(some).equal(held->pick(some)));
  EXPECT_NEAR(file->block(0, 1).norm().item<double>(), 1, 1e-6);
  EXPECT_EQ(file->block(3, 1).norm().item<double>(), 0);
  EXPECT_EQ(file->block(0, 0).size(0), 0);
}

TEST_F(EmbeddingFile, RefusesWhatIsNoEmbeddings) {
  EXPECT_THAT(refusal(torch::ones({4})), HasSubstr("a row for each image"));
  EXPECT_THAT(refusal(torch::ones({4, 2}, torch::kInt64)), HasSubstr("float32"));
  auto broken = torch::ones({4, 2});
  broken[2][1] = NAN;
  EXPECT_THAT(refusal(broken), HasSubstr("row 2"));
  write_durably(real_files(), here_ / "empty.npy", "");
  EXPECT_THROW(embeddings_in(here_ / "empty.npy"), DataError);
  EXPECT_THROW(embeddings_in(here_ / "none.npy"), std::exception);
}

}  // namespace
}  // namespace facemae
