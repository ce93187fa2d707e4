#include "trainer/apply/plausible.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "core/error.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"

namespace facemae {
namespace {

using testing_stores::make_store;

/// What is said of a model after `spoil`, "" when nothing is.
std::string said_of(const Store& store, const std::function<void(FaceMae&)>& spoil) {
  torch::set_num_threads(1);
  FaceMae model = test::small_model();
  {
    const torch::NoGradGuard no_grad;
    spoil(model);
  }
  try {
    refuse_flat_pictures(store, model, torch::kCPU, 0.5);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Plausible, RefusesAModelThatShowsNothingOfWhatItSees) {
  const test::TemporaryFolder folder;
  const auto store = make_store(folder / "s", {3, 2});
  EXPECT_EQ(said_of(*store, [](FaceMae&) {}), "") << "even an untrained one sees its input";
  const auto has = [&](const char* text, const std::function<void(FaceMae&)>& spoil) {
    const std::string said = said_of(*store, spoil);
    EXPECT_NE(said.find(text), std::string::npos) << said;
  };
  has("each of one colour", [](FaceMae& model) {
    model->decoder_pred->weight.zero_();
    model->decoder_pred->bias.fill_(1e30);
  });
  has("all the same picture", [](FaceMae& model) {
    model->decoder_pred->weight.zero_();
    model->decoder_pred->bias.copy_(torch::linspace(-1, 1, model->decoder_pred->bias.size(0)));
  });
  has("not finite",
      [](FaceMae& model) { model->decoder_pred->weight.fill_(std::numeric_limits<float>::max()); });
}

TEST(Plausible, AFaceAloneOrCopiesOfOneProveNothingAgainstIt) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(said_of(*make_store(folder / "one", {1}), [](FaceMae&) {}), "");
  const auto copies = make_store(folder / "copies", {2, 2}, 16,
                                 [](std::uint64_t) { return testing_stores::tiny_picture(5); });
  EXPECT_EQ(
      said_of(*copies,
              [](FaceMae& model) {
                model->decoder_pred->weight.zero_();
                model->decoder_pred->bias.copy_(torch::linspace(-1, 1, model->decoder_pred->bias.size(0)));
              }),
      "");
}

}  // namespace
}  // namespace facemae
