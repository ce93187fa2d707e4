#pragma once
// The attack of an embedder of which only the embeddings are there, on a release of any size: who is nearest to whom, at
// every level, in stages that ranks can share.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/embeddings/embedding_rows.h"
#include "evaluation/embeddings/release_people.h"
#include "evaluation/embeddings/streamed_ranks.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

/// Probes against one gallery, and what is asked about each.
struct EmbeddingStage {
  struct Asked {
    Level level;
    std::string control;  ///< "real_other_photo": real photos in place of the released pictures
    std::function<ProbeMates(std::int64_t)> mates;
  };
  std::string what;  ///< "pictures against photos"
  std::int64_t probes = 0;
  std::function<torch::Tensor(std::int64_t first, std::int64_t count)> probe_rows;
  std::shared_ptr<const EmbeddingRows> gallery;
  std::vector<Asked> asked;
  std::function<std::int64_t(std::int64_t)> person;  ///< whose trial a probe is
  std::function<std::int64_t(std::int64_t)> with;    ///< of a person, the first one of their class
};

struct EmbeddingAuditOptions {
  std::int64_t max_probes =
      2000;  ///< pictures and photos that are tried, drawn from the seed when there are more
  std::uint64_t seed = 0;
};

/// The stages of an attack: pictures against photos (own picture, where it has one; person), the control of it, photos
/// and people against classes, classes against people. Classes and people are means of their rows, centred on the mean
/// of all released or real ones: 8 bytes x width for each class and person while they are made, 4 after. Every rank makes
/// the same stages. `people` outlives them. Throws ConfigError when rows do not fit to the people, DataError.
std::vector<EmbeddingStage> embedding_stages(const std::shared_ptr<const EmbeddingRows>& real,
                                             const std::shared_ptr<const EmbeddingRows>& released,
                                             const ReleasePeople& people,
                                             const EmbeddingAuditOptions& options);

/// Of each question, the standings of probes [first, last). `see` is told how many rows of the gallery went by.
std::vector<std::vector<Standing>> stand_in(const EmbeddingStage& stage, std::int64_t first,
                                            std::int64_t last,
                                            const std::function<void(std::int64_t)>& see = {});

/// One per question, of the standings of all probes. Hits of ties are expectations.
std::vector<Measurement> measurements_of(const EmbeddingStage& stage,
                                         const std::vector<std::vector<Standing>>& standings,
                                         const std::string& attacker, std::int64_t people_per_class);

}  // namespace facemae
