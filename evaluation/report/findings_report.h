#pragma once
// What adaptive attackers found, as tables and as JSON: naming odds first.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "evaluation/report/report.h"

namespace facemae {

/// Naming odds by attack and level, the headline on top; controls; the curve over pairs; membership; metadata. Empty
/// without measurements.
std::vector<Report::Table> findings_tables(const Findings& findings,
                                           const std::vector<MetadataFindings::Cue>& cues);

/// Puts "measurements", "headline", "controls" and "metrics" into `json` (docs/FORMATS.md).
void add_findings(nlohmann::json& json, const Findings& findings,
                  const std::vector<MetadataFindings::Cue>& cues);

/// One sentence: the strongest attack and how often it names a person. "" without measurements.
std::string headline_text(const Findings& findings);

}  // namespace facemae
