#include "evaluation/report/audit_report.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "tests/unit/evaluation/report/report_sample.h"

namespace facemae {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(AuditWarning, SaysMoreOfDrawnFacesAndOfFewPeople) {
  EXPECT_THAT(audit_warning(false, 1'000'000),
              AllOf(StartsWith("Attacks that fail here prove nothing"),
                    HasSubstr("no formal privacy guarantee."), Not(HasSubstr("people were tried"))));
  EXPECT_THAT(audit_warning(true, 2),
              AllOf(StartsWith("Procedural faces: "), HasSubstr(" Only 2 people were tried: ")));
}

TEST(ReportPictures, AreAFixedDrawThatShowsOriginalsOnlyWhenAskedTo) {
  AuditInput input{.released = torch::zeros({20, 3, 2, 2}, torch::kUInt8),
                   .real = torch::zeros({20, 3, 2, 2}, torch::kUInt8)};
  for (int i = 0; i < 20; ++i) {
    input.released[i].fill_(i);
    input.real[i].fill_(119 - i);  // the original of picture i is 19 - i, of colour 100 + i
    input.mate.push_back(19 - i);
  }
  EXPECT_TRUE(report_pictures(input, "none", 1).empty());
  const auto released = report_pictures(input, "released", 1), again = report_pictures(input, "released", 1);
  ASSERT_EQ(released.size(), 12U);
  const auto all = report_pictures(input, "all", 1);
  ASSERT_EQ(all.size(), 24U);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(released[i].caption, "rebuilt");
    EXPECT_EQ(released[i].image.pixels, again[i].image.pixels);
    EXPECT_EQ(released[i].image.pixels, all[2 * i].image.pixels);
    EXPECT_EQ(all[2 * i + 1].caption, "original");
    EXPECT_EQ(all[2 * i + 1].image.pixels[0], released[i].image.pixels[0] + 100);
  }
}

TEST(AuditSummary, HasALineForEachAttackAndEachTrainedSet) {
  Report report = sample_report();
  report.tables = {{.heading = "Utility",
                    .note = "",
                    .columns = {"trained on", "accuracy", "std over folds", "AUC", "EER"},
                    .rows = {{"real", "97.13 %", "1.00", "0.9900", "-"}}}};
  const std::string text = summary_text(report);
  for (const auto& attack : report.attacks) EXPECT_THAT(text, HasSubstr(attack.released.attacker));
  EXPECT_THAT(
      text,
      StartsWith(
          "\nUtility\n  trained on real                      accuracy 97.13 %  std over folds 1.00  AUC 0.9900  EER -\n"));
  EXPECT_THAT(text, HasSubstr("Leakage: rebuilt face -> its original, rank 1"));
}

}  // namespace
}  // namespace facemae
