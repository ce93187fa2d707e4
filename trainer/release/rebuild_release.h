#pragma once
// A release from a store and a model, from the first check to the closing audit: what `facemae reconstruct`
// does.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cluster/world/world.h"
#include "core/error.h"
#include "data/release/blend.h"
#include "trainer/rebuild/baseline.h"
#include "trainer/release/closing_audit.h"

namespace facemae {

/// As the options of the command say.
struct ReconstructConfig {
  std::string store, out, private_folder, second_release, codec = "jpeg";
  std::string from;                   ///< "" with a baseline
  std::optional<Blend> blend;         ///< none: each picture is made of one photo
  std::optional<Baseline> baseline;   ///< instead of a model
  std::string policy;                 ///< digest of the policy that the release is made under, "" none
  std::optional<double> mask_ratio;   ///< unless given, that of the model's training
  std::string precision = "float32";  ///< of the model's forward pass: float32, tf32 or bfloat16
  std::string code_noise, code_unit = "photo", nuisance;  ///< of a model with a code; "" of others
  std::uint64_t images_per_identity = 0, shard_images = 8192;
  int quality = 95;
};

/// What was made; the same on every rank, but for the audit.
struct RebuiltRelease {
  std::uint64_t images = 0, copies = 0;  ///< copies: originals left out because another is equal
  std::int64_t identities = 0;
  std::uint64_t people_left_out = 0;  ///< of a blend
  std::string model_hash;             ///< "" with a baseline
  double mask_ratio = 0;
  std::optional<ClosingAudit> audit;  ///< on rank 0, unless it failed
  ExitCode code = ExitCode::Done;     ///< of an audit that failed, with a complete release
};

/// All ranks. Begins a release or goes on with one; finished shards are left alone. `claim` is called on rank 0
/// once config.out has been judged and before anything is written there: it takes the place for this process.
/// Throws AgreedError; a release that is refused leaves nothing behind.
RebuiltRelease rebuild_release(World& world, const ReconstructConfig& config,
                               const std::function<void()>& claim);

}  // namespace facemae
