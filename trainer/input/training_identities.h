#pragma once
// Who a model was trained on, as keyed hashes of names: `reconstruct` warns when it is to rebuild them. The
// key lies with the faces (data/store/people_key.h), so that a checkpoint alone tells nobody; without it a hash is
// a random number. The set only grows: with initial weights come the identities that those were trained on,
// and with a resumed run its own.
#include <torch/types.h>

#include <optional>
#include <string>

#include "checkpoint/tensors/snapshot.h"
#include "checkpoint/tensors/store.h"
#include "core/random/secret.h"
#include "data/store/store.h"

namespace facemae {

/// [n] int64, ascending: hashes of the store's identities, nothing without a key, and of those that the
/// weights `init` ("" for none) name. What an older version hashed without a key is hashed once more with it.
torch::Tensor training_identities(const Store& store, const std::string& init,
                                  const std::optional<SecretKey>& key);

/// Those of a run that is trained on nobody by name: pictures in memory.
torch::Tensor no_training_identities();

/// Restores as CheckpointStore::restore() does; the identities of the snapshot become those of both.
std::optional<std::string> restore_with_identities(CheckpointStore& checkpoints, const CheckpointInfo& info,
                                                   Snapshot& into, const std::optional<SecretKey>& key,
                                                   const ClassMap* map = nullptr);

/// How many identities of `store` are among `hashes`; nothing when that cannot be told: there are no hashes,
/// or none with this key.
std::optional<std::int64_t> trained_on(const torch::Tensor& hashes, const Store& store,
                                       const std::optional<SecretKey>& key);

/// What the hashes of a checkpoint are, for people.
struct IdentityFacts {
  bool keyed = true;       ///< false: made by an older version, names can be tried on them
  std::int64_t names = 0;  ///< at most so many
};
IdentityFacts facts_of(const torch::Tensor& hashes);

}  // namespace facemae
