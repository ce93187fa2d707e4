#include "trainer/rebuild/blend_rows.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <set>

#include "core/random/keys.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"
#include "trainer/rebuild/rebuild.h"

namespace facemae {
namespace {

using testing_stores::make_store;
using testing_stores::tiny_picture;

class BlendRows : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    model_ = test::small_model();
  }
  std::vector<std::vector<std::byte>> blended(const Store& store, const std::vector<std::uint64_t>& rows,
                                              const Blend& blend, std::size_t batch = 64) {
    return blend_rows(store, rows, blend, model_, torch::kCPU,
                      {.mask_key = SecretKey{{3}}, .png = true, .batch = batch},
                      [&](std::size_t n) { told_ += n; });
  }
  test::TemporaryFolder folder_;
  FaceMae model_{nullptr};
  std::size_t told_ = 0;
};

TEST_F(BlendRows, OfOnePhotoAreTheBytesOfThePlainReconstruction) {
  const auto store = make_store(folder_ / "s", {4, 3, 2});
  const std::vector<std::uint64_t> rows{8, 0, 3, 1, 7, 2, 5, 4, 6};
  const auto plain = rebuild_rows(*store, rows, model_, torch::kCPU,
                                  {.mask_key = SecretKey{{3}}, .png = true}, [](std::size_t) {});
  EXPECT_EQ(blended(*store, rows, {.people = 1, .images = 1}), plain);
  EXPECT_EQ(told_, 9U);
}

/// For each of random stores: every person's photos are replaced in turn, and the pictures that change counted.
TEST_F(BlendRows, DependOnExactlyThePeopleOfTheirClass) {
  Draws draws(17);
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t people = 2 + draws.below(2), each = 1 + draws.below(2), classes = 2, photos = 3;
    const Blend blend{.people = people, .images = people * each, .min_people = 1 + draws.below(people)};
    const std::vector<std::uint64_t> counts(people * classes, photos);
    const std::string name = std::to_string(round);
    const auto store = make_store(folder_ / ("s" + name), counts);
    std::vector<std::uint64_t> rows;
    std::vector<std::set<std::uint64_t>> shown;
    for (int picture = 0; picture < 8; ++picture) {
      const std::uint64_t group = draws.below(classes);
      for (std::uint64_t person = group * people; person < (group + 1) * people; ++person) {
        const std::uint64_t first = draws.below(photos);
        for (std::uint64_t i = 0; i < each; ++i)  // rows run over the people in turn
          rows.push_back((first + i) % photos * people * classes + person);
      }
      auto& own = shown.emplace_back();
      for (std::uint64_t person = group * people; person < (group + 1) * people; ++person) own.insert(person);
    }
    const auto before = blended(*store, rows, blend);
    std::vector<std::set<std::uint64_t>> depends(before.size());
    for (std::uint64_t person = 0; person < people * classes; ++person) {
      const auto other = make_store(
          folder_ / ("s" + name + "-" + std::to_string(person)), counts, 16, [&](std::uint64_t row) {
            return tiny_picture(row % (people * classes) == person ? 7000 + row : row);
          });
      const auto after = blended(*other, rows, blend);
      for (std::size_t picture = 0; picture < before.size(); ++picture)
        if (after[picture] != before[picture]) depends[picture].insert(person);
    }
    EXPECT_EQ(depends, shown);
  }
}

TEST_F(BlendRows, DoNotDependOnBatchesNorOnOtherPictures) {
  const auto store = make_store(folder_ / "s", {4, 4, 4, 4});  // rows 0 to 3: the first photos of each
  const Blend blend{.people = 2, .images = 4};
  const std::vector<std::uint64_t> first{0, 4, 1, 5}, second{2, 6, 3, 11}, third{8, 12, 5, 13};
  std::vector<std::uint64_t> all = first;
  all.insert(all.end(), second.begin(), second.end());
  all.insert(all.end(), third.begin(), third.end());
  const auto pictures = blended(*store, all, blend);
  ASSERT_EQ(pictures.size(), 3U);
  EXPECT_EQ(blended(*store, all, blend, 1), pictures);
  EXPECT_EQ(blended(*store, second, blend).front(), pictures[1]);
}

}  // namespace
}  // namespace facemae
