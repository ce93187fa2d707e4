#pragma once
// Audits a release by embeddings that any program made, on any number of ranks, without reading a picture.
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/host/control.h"
#include "data/release/release.h"
#include "data/store/store.h"
#include "evaluation/campaign/findings.h"

namespace facemae {

/// NAME=REAL.npy,RELEASED.npy
struct EmbeddingFiles {
  std::string name;
  Path real, released;
};
/// Throws ConfigError for a text of another form, and for a file that is not there.
EmbeddingFiles embedding_files(const std::string& text);

struct EmbeddingAuditConfig {
  std::vector<EmbeddingFiles> embeddings;
  std::int64_t max_probes = 2000;
  std::uint64_t seed = 0;
};

/// All ranks, same order: each ranks whole blocks of the probes, and rank 0 puts the standings together in the order of
/// the probes, so figures are the same to the last bit for any number of ranks with the same number of threads. Measurements
/// and their controls on rank 0, nothing elsewhere. Throws AgreedError: embeddings that do not fit to the stores, or a link
/// of another release.
Findings audit_embeddings(const EmbeddingAuditConfig& config, const Store& real, const Store& released,
                          const ReleaseLink& link, Control& control);

}  // namespace facemae
