#pragma once
// The folder that may leave the house: the store, its verdict, its data sheet and the report, and nothing of the private
// folder.
#include <string>

#include "core/files/files.h"
#include "data/release/private_folder.h"
#include "evaluation/gate/verdict.h"

namespace facemae {

struct PackageConfig {
  std::string released, audit, policy, out;  ///< store, folder of the report, file, folder to be made
  std::string despite, responsible;          ///< why, and on whose word, a release leaves that did not pass
};

/// What is packed, and all that was found to be true of it.
struct Candidate {
  Policy policy;
  ReportedFindings findings;
  GateVerdict verdict;
  std::string uuid, dataset_digest, source_licence;
  std::uint64_t images = 0;
  std::int64_t identities = 0;
  int image_size = 0;
  std::string today;
};

/// Reads and judges. Throws ConfigError when store, report and private folder do not belong together, the report is older
/// than the store, it shows pictures that the policy keeps back, or the store is no finished release; DataError when
/// something is damaged.
Candidate judge_release(const PackageConfig& config, const PrivateFolder& folder, const std::string& today);

/// "PASS", or with what was decided in spite of the verdict: "FAIL, released on the responsibility of NAME: REASON".
std::string stated_verdict(const Candidate& candidate, const PackageConfig& config);

/// Writes OUT, whole or not at all: store/ (hard links where the file system allows), report/, policy.json, RELEASE.json,
/// DATASHEET.md and SHA256SUMS. Throws ConfigError when OUT is there, FileError.
void write_package(FileSystem& files, const PackageConfig& config, const Candidate& candidate);

}  // namespace facemae
