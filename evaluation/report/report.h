#pragma once
// Reports: one self-contained HTML page (pictures inline, nothing loaded from outside) and JSON.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/image/image.h"
#include "evaluation/campaign/campaign.h"
#include "evaluation/campaign/metadata.h"
#include "evaluation/linkage/linkage.h"

namespace facemae {

struct ReportPicture {
  std::string caption;
  Image image;
};
/// Everything the page shows; sections without content are left out.
struct Report {
  std::string title, warning;                              ///< the warning stands above everything else
  std::vector<std::pair<std::string, std::string>> facts;  ///< "released images" -> "2,339", ...
  struct Table {
    std::string heading, note;
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
    bool prose = false;  ///< the cells are sentences: from the left, in several lines
  };
  std::vector<Table> tables;
  Findings findings;  ///< of adaptive attackers: what stands first on the page
  std::vector<MetadataFindings::Cue> metadata;
  std::vector<AttackReport> attacks;  ///< of fixed attackers; none on a release of blends
  std::vector<ReportPicture> pictures;
  /// Drawings, which stand below the facts.
  struct Drawing {
    std::string heading, note;
    std::string svg;  ///< inline, as it is (evaluation/report/scatter.h)
  };
  std::vector<Drawing> drawings;
};

std::string to_html(const Report& report);
nlohmann::json to_json(const Report& report);

}  // namespace facemae
