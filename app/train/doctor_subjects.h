#pragma once
// What `facemae doctor` looks at beside the machine: the store and the run.

#include "cluster/facts/facts.h"
#include "core/files/files.h"

namespace facemae {

/// The manifests of a store and of all that it is a view of, and the seal of each shard; with `quick` of a few shards.
/// What is wrong is in `fault`.
StorePlace look_at_store(const Path& store, bool quick);
/// What RUN's newest checkpoint takes; nothing is known of a run that has not begun.
RunPlace look_at_run(const Path& run);

}  // namespace facemae
