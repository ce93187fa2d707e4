#include "evaluation/report/audit_report.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "evaluation/report/findings_report.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

Image picture(const torch::Tensor& image) {  // [3, H, W] uint8
  const auto rows = image.permute({1, 2, 0}).contiguous();
  const auto* data = rows.data_ptr<std::uint8_t>();
  return {static_cast<int>(rows.size(1)), static_cast<int>(rows.size(0)), {data, data + rows.numel()}};
}

}  // namespace

std::string audit_warning(bool synthetic, std::int64_t people) {
  std::string warning =
      "Attacks that fail here prove nothing: stronger attackers exist, and the rebuilt faces may be personal data until a qualified person decides otherwise. "
      "There is no formal privacy guarantee.";
  if (synthetic) warning = "Procedural faces: these figures say nothing about people. " + warning;
  if (people < kFewPeople)
    warning += fmt::format(
        " Only {} people were tried: with so few the intervals are wide, and say little of others.", people);
  return warning;
}

std::vector<ReportPicture> report_pictures(const AuditInput& input, const std::string& which,
                                           std::uint64_t seed) {
  std::vector<ReportPicture> pictures;
  if (which == "none") return pictures;
  const auto count = static_cast<std::uint64_t>(input.released.size(0));
  const Permutation draw(count, key_of(seed, Purpose::Audit));
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(12, count); ++i) {
    const auto row = static_cast<std::int64_t>(draw(i));
    pictures.push_back({"rebuilt", picture(input.released[row])});
    if (which == "all")
      pictures.push_back({"original", picture(input.real[input.mate[static_cast<std::size_t>(row)]])});
  }
  return pictures;
}

std::string summary_text(const Report& report) {
  std::string text;
  for (const auto& table : report.tables) {
    text += fmt::format("\n{}\n", table.heading);
    for (const auto& row : table.rows) {
      for (std::size_t i = 0; i < row.size(); ++i)
        text += fmt::format("  {} {}", table.columns[i], i == 0 ? fmt::format("{:<24}", row[i]) : row[i]);
      text += "\n";
    }
  }
  if (const std::string headline = headline_text(report.findings); !headline.empty())
    text += "\nNaming odds: " + headline + "\n";
  if (report.attacks.empty()) return text;
  text += fmt::format(
      "\nLeakage: rebuilt face -> its original, rank 1, by {} people (controls: mosaics of the real faces instead of rebuilt ones)\n",
      report.attacks.front().released.same_image.people);
  for (const auto& attack : report.attacks) {
    const auto& figure = attack.released.same_image.rank1;
    const std::string what = attack.control.empty()
                                 ? attack.released.attacker
                                 : "control " + attack.control + ": " + attack.released.attacker;
    text += fmt::format("  {:<52} {:5.1f} %  (95 % {:.1f} to {:.1f}; chance {:.2f}, ceiling {:.1f})\n", what,
                        100 * figure.value, 100 * figure.low, 100 * figure.high,
                        100 * attack.released.same_image.chance_rank1,
                        100 * attack.ceiling.same_image.rank1.value);
  }
  return text;
}

}  // namespace facemae
