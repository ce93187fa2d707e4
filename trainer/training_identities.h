#pragma once
// Who a model was trained on, as salted hashes of names: `reconstruct` warns when it is to rebuild them. The
// set only grows: with initial weights come the identities that those were trained on, and with a resumed run
// its own.
#include <torch/types.h>

#include "checkpoint/snapshot.h"
#include "checkpoint/store.h"
#include "data/store.h"

namespace facemae {

/// [n] int64, ascending: hashes of the store's identities and of those that the weights `init` ("" for none)
/// name.
torch::Tensor training_identities(const Store& store, const std::string& init);

/// Restores as CheckpointStore::restore() does; the identities of the snapshot become those of both.
std::optional<std::string> restore_with_identities(CheckpointStore& checkpoints, const CheckpointInfo& info,
                                                   Snapshot& into, const ClassMap* map = nullptr);

}  // namespace facemae
