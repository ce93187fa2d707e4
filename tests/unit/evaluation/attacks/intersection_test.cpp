#include "evaluation/attacks/intersection.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error.h"

namespace facemae {
namespace {

constexpr std::int64_t kSeriesPeople = 24, kSeriesPhotos = 3, kSeriesWidth = 48;

torch::Tensor unit(const torch::Tensor& rows) { return rows / rows.norm(2, 1, true); }

/// Photos of people in a space of features, and releases of them.
class SeveralReleases : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    torch::manual_seed(5);
    const auto person = torch::randn({kSeriesPeople, kSeriesWidth});
    for (std::int64_t photo = 0; photo < kSeriesPeople * kSeriesPhotos; ++photo)
      people_.push_back(photo / kSeriesPhotos);
    real_ = person.repeat_interleave(kSeriesPhotos, 0) +
            0.7 * torch::randn({kSeriesPeople * kSeriesPhotos, kSeriesWidth});
  }

  /// Groups of `group` people, a class each; one picture for each photo (alone) or for each place of a photo among
  /// those of its person (blended). Class c has people c, c + stride, ...: two strides are two partitions.
  SeenRelease release(double noise, std::int64_t group, bool consecutive) const {
    SeenRelease seen;
    const std::int64_t classes = kSeriesPeople / group;
    for (std::int64_t c = 0; c < classes; ++c) {
      std::vector<std::int64_t> members;
      for (std::int64_t k = 0; k < group; ++k)
        members.push_back(consecutive ? c * group + k : c + k * classes);
      seen.links.people_of_class.push_back(members);
    }
    std::vector<torch::Tensor> pictures;
    for (std::int64_t c = 0; c < classes; ++c)
      for (std::int64_t photo = 0; photo < kSeriesPhotos; ++photo) {
        std::vector<std::int64_t> sources;
        auto sum = torch::zeros({kSeriesWidth});
        for (const auto person : seen.links.people_of_class[static_cast<std::size_t>(c)]) {
          sources.push_back(person * kSeriesPhotos + photo);
          sum += real_[sources.back()];
        }
        pictures.push_back(sum / static_cast<double>(group) + noise * torch::randn({kSeriesWidth}));
        seen.classes.push_back(c);
        seen.links.photos_of_picture.push_back(sources);
      }
    seen.evidence = {.released = unit(torch::stack(pictures)), .real = unit(real_)};
    return seen;
  }

  double found(const std::vector<Measurement>& all, Level level, const std::string& count) const {
    for (const auto& one : all)
      if (one.level == level && one.attacker == "a, " + count) return naming_odds(one).value;
    ADD_FAILURE() << "no " << name_of(level) << " of " << count;
    return -1;
  }
  bool has(const std::vector<Measurement>& all, Level level, const std::string& count) const {
    for (const auto& one : all)
      if (one.level == level && one.attacker == "a, " + count) return true;
    return false;
  }

  std::vector<std::int64_t> people_;
  torch::Tensor real_;
};

TEST_F(SeveralReleases, ShowTogetherWhatTheNoiseOfOneHides) {
  // Means over the pictures of a class need more noise.
  for (const double noise : {4.0, 12.0}) {
    std::vector<SeenRelease> releases;
    for (int r = 0; r < 8; ++r) releases.push_back(release(noise, 1, true));
    const auto all = measure_releases(releases, people_, kSeriesPeople, "a");
    const auto levels = noise < 5 ? std::vector{Level::OwnPicture, Level::PictureToPerson}
                                  : std::vector{Level::PersonToClass, Level::ClassToPerson};
    for (const Level level : levels) {
      EXPECT_LT(found(all, level, "1 release"), 0.6) << name_of(level);
      EXPECT_GT(found(all, level, "8 releases"), found(all, level, "1 release") + 0.2) << name_of(level);
      EXPECT_TRUE(has(all, level, "2 releases") && has(all, level, "4 releases"));
    }
  }
}

TEST_F(SeveralReleases, OfOnePartitionHideAPersonAmongKStill) {
  std::vector<SeenRelease> releases{release(0.1, 4, true), release(0.1, 4, true)};
  const auto all = measure_releases(releases, people_, kSeriesPeople, "a");
  EXPECT_LE(found(all, Level::ClassToPerson, "1 release"), 0.25);
  EXPECT_LE(found(all, Level::ClassToPerson, "2 releases"), 0.25);
  EXPECT_LE(found(all, Level::PersonToClass, "2 releases"), 0.25);
  EXPECT_FALSE(has(all, Level::OwnPicture, "1 release")) << "a blend has no own picture";
}

TEST_F(SeveralReleases, OfTwoPartitionsNameWhoIsInBothGroups) {
  std::vector<SeenRelease> releases{release(0.1, 4, true), release(0.1, 4, false)};
  const auto all = measure_releases(releases, people_, kSeriesPeople, "a");
  EXPECT_LE(found(all, Level::ClassToPerson, "1 release"), 0.25);
  EXPECT_GT(found(all, Level::ClassToPerson, "2 releases"), 0.8);
  EXPECT_FALSE(has(all, Level::PersonToClass, "2 releases")) << "their classes are not the same";
}

TEST_F(SeveralReleases, AddUpEvidenceByPerson) {
  std::vector<SeenRelease> releases{release(0.1, 1, true), release(0.1, 1, true)};
  for (auto& one : releases)
    one.evidence = {
        .by_person =
            one.evidence.released.matmul(unit(real_).t()).reshape({-1, kSeriesPeople, kSeriesPhotos}).sum(2)};
  const auto all = measure_releases(releases, people_, kSeriesPeople, "a");
  EXPECT_GT(found(all, Level::PersonToClass, "2 releases"), 0.95);
  EXPECT_FALSE(has(all, Level::OwnPicture, "2 releases"));
}

TEST_F(SeveralReleases, RefusesEvidenceOfOtherPictures) {
  std::vector<SeenRelease> releases{release(1, 1, true)};
  releases[0].classes.pop_back();
  EXPECT_THROW(measure_releases(releases, people_, kSeriesPeople, "a"), ConfigError);
  EXPECT_THROW(measure_releases({}, people_, kSeriesPeople, "a"), ConfigError);
}

}  // namespace
}  // namespace facemae
