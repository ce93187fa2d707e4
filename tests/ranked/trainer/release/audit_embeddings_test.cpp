// Ranks that share the probes find what one rank finds alone.
#include "trainer/release/audit_embeddings.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "cluster/host/agree.h"
#include "cluster/mpi/mpi_control.h"
#include "core/log.h"
#include "evaluation/linkage/npy.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/why.h"

namespace facemae {
namespace {

constexpr std::int64_t kPeople = 150, kPhotos = 6;

class AuditEmbeddings : public testing::Test {
 protected:
  AuditEmbeddings() {
    spdlog::set_level(spdlog::level::off);
    at::set_num_threads(1);
    folder_ = control_.broadcast(here_.path().string());
    together(control_, [&] {
      if (!control_.is_root()) return;
      const auto picture = testing_stores::tiny_picture(1);
      testing_stores::make_store(folder_ / "store", std::vector<std::uint64_t>(kPeople, kPhotos), 1000,
                                 [&](std::uint64_t) { return picture; });
      torch::manual_seed(1);
      const auto real = torch::randn({kPeople * kPhotos, 24});
      write_npy(real_files(), folder_ / "real.npy", real);
      write_npy(real_files(), folder_ / "released.npy", real + 1.2 * torch::randn_like(real));
    });
    store_ = Store::open(folder_ / "store");
    for (std::uint64_t row = 0; row < store_->size(); ++row) link_.source_rows.push_back(row);
  }
  Findings findings(Control& control, const std::string& released = "released.npy") {
    const EmbeddingAuditConfig config{
        .embeddings = {{"net", folder_ / "real.npy", folder_ / released}}, .max_probes = 700, .seed = 3};
    return audit_embeddings(config, *store_, *store_, link_, control);
  }
  std::vector<Measurement> found(Control& control, const std::string& released = "released.npy") {
    return findings(control, released).measurements;
  }
  MpiControl control_{std::chrono::minutes(1)};
  test::TemporaryFolder here_;
  Path folder_;
  std::shared_ptr<const Store> store_;
  ReleaseLink link_;
};

TEST_F(AuditEmbeddings, FindsTheSameOnAnyNumberOfRanks) {
  const auto shared = found(control_);
  if (!control_.is_root()) {
    EXPECT_TRUE(shared.empty());
    return;
  }
  AloneControl alone;
  const auto one = found(alone);
  ASSERT_EQ(one.size(), 6u);
  ASSERT_EQ(shared.size(), one.size());
  for (std::size_t m = 0; m < one.size(); ++m) {
    EXPECT_EQ(shared[m].found.value, one[m].found.value);
    EXPECT_EQ(shared[m].found.high, one[m].found.high);
    ASSERT_EQ(shared[m].tallies.size(), one[m].tallies.size());
    for (std::size_t i = 0; i < one[m].tallies.size(); ++i) {
      EXPECT_EQ(shared[m].tallies[i].hits, one[m].tallies[i].hits);
      EXPECT_EQ(shared[m].tallies[i].trials, one[m].tallies[i].trials);
    }
  }
  EXPECT_GT(one[0].found.value, 0.2);  // own picture: neither all nor nothing
  EXPECT_LT(one[0].found.value, 0.95);
}

TEST_F(AuditEmbeddings, TellsWhenTheEmbedderKnowsNobody) {
  const auto controls = findings(control_).controls;
  if (!control_.is_root()) return;
  ASSERT_EQ(controls.size(), 1u);
  EXPECT_EQ(controls[0].control, "real_other_photo");
  EXPECT_FALSE(controls[0].works) << "photos of a person share nothing here: what it misses means nothing";
}

TEST_F(AuditEmbeddings, FailsOnAllRanksTogether) {
  together(control_, [&] {
    if (control_.is_root()) write_npy(real_files(), folder_ / "short.npy", torch::ones({5, 24}));
  });
  EXPECT_THAT(test::why<AgreedError>([&] { found(control_, "short.npy"); }),
              testing::HasSubstr("900 images"));
  link_.source_rows.pop_back();
  EXPECT_THAT(test::why<AgreedError>([&] { found(control_); }), testing::HasSubstr("899 pictures"));
}

TEST(EmbeddingFilesOf, AreANameAndTwoFiles) {
  EXPECT_THAT(test::why<ConfigError>([] { embedding_files("a.npy,b.npy"); }),
              testing::HasSubstr("NAME=REAL.npy"));
  EXPECT_THAT(test::why<ConfigError>([] { embedding_files("net=a.npy"); }),
              testing::HasSubstr("NAME=REAL.npy"));
  EXPECT_THAT(test::why<ConfigError>([] { embedding_files("net=none.npy,none.npy"); }),
              testing::HasSubstr("facemae embed"));
  const test::TemporaryFolder here;
  const std::string file = (here / "a.npy").string();
  write_npy(real_files(), file, torch::ones({2, 2}));
  EXPECT_THAT(test::why<ConfigError>([&] { embedding_files("net=" + file + "," + file); }),
              testing::HasSubstr("both are one file"));
}

}  // namespace
}  // namespace facemae
