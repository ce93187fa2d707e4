#pragma once
// The command `evaluate`: what its protocols share.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/output_locks.h"
#include "cluster/world/world.h"
#include "trainer/apply/embed_images.h"

namespace facemae {

struct EvaluateOptions {
  std::string from, network_name, embeddings, device = "auto", precision = "float32";
  int workers = 0;
  bool bgr = false, no_flip = false;

  std::string store, images, pairs, landmarks;  ///< pairs
  std::vector<std::string> bins;
  int folds = 0;

  std::string ijb, subset;  ///< IJB
  bool no_face_scores = false, normalise_faces = false;

  std::string probe, gallery, distractors, identity = "folder";  ///< folders

  std::string csv, scores, roc;
};

/// Where the embeddings of an evaluation come from: a network, or a file that an earlier one kept.
class EmbeddingSource {
 public:
  /// All ranks. Reads the weights, if they are given. Throws AgreedError.
  EmbeddingSource(World& world, const EvaluateOptions& options);
  /// All ranks: raw embeddings on rank 0, which keeps them in --embeddings where a network made them.
  Embeddings of(const ImageSet& images);
  /// Hashes of the people that the weights were trained on, as far as they tell.
  const torch::Tensor& trained_on() const { return trained_on_; }

 private:
  World& world_;
  const EvaluateOptions& options_;
  EmbedConfig config_;
  std::shared_ptr<RecognitionNetwork> network_;  ///< null: embeddings are read
  torch::Tensor trained_on_;
};

/// One protocol each. All ranks; rank 0 prints, writes --csv, --scores and --roc, and returns what --json is to have.
/// Throws AgreedError.
nlohmann::ordered_json evaluate_pairs(World& world, const EvaluateOptions& options, EmbeddingSource& source);
nlohmann::ordered_json evaluate_ijb(World& world, const EvaluateOptions& options, EmbeddingSource& source);
nlohmann::ordered_json evaluate_folders(World& world, const EvaluateOptions& options,
                                        EmbeddingSource& source);

}  // namespace facemae
