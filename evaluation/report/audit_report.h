#pragma once
// What the report of an audit says beside its figures, and the figures as lines of text.
#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/attacks/audit.h"
#include "evaluation/report/report.h"

namespace facemae {

/// What stands above everything else. synthetic: the faces are drawn ones; people: how many were tried.
std::string audit_warning(bool synthetic, std::int64_t people);
/// A fixed draw of released pictures. which: "none" of them, "released", or "all": each beside its original.
std::vector<ReportPicture> report_pictures(const AuditInput& input, const std::string& which,
                                           std::uint64_t seed);
/// For stdout: the tables, then for each attack how often it links a rebuilt face to its original.
std::string summary_text(const Report& report);

}  // namespace facemae
