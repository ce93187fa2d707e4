#pragma once
// A study as one self-contained page, as a table (CSV) and as JSON.
#include <nlohmann/json.hpp>
#include <string>

#include "evaluation/report/report.h"
#include "trainer/study/results.h"

namespace facemae {

/// The page without pictures.
Report study_page(const StudyResult& result);
/// A few released pictures of each arm's first seed. Of real people only those that FaceMAE has decoded; of
/// synthetic ones those of all arms. An arm whose pictures are not there is left out.
std::vector<ReportPicture> study_pictures(const Path& out, const StudyResult& result);
/// One line for each arm and seed, with a heading.
std::string study_csv(const StudyResult& result);
nlohmann::ordered_json study_json(const StudyResult& result);
/// A line for each arm, for stdout.
std::string study_text(const StudyResult& result);

/// Writes OUT/study.html, study.csv and study.json.
StudyResult write_study(FileSystem& files, const Path& out);

}  // namespace facemae
