#pragma once
// Opens a store on all ranks; on each node one of them checks it for all.
#include <memory>

#include "cluster/host/control.h"
#include "cluster/host/topology.h"
#include "data/store/store.h"

namespace facemae {

/// All ranks, same order. The first rank of each node hashes the store (7.5 GB of index for 260 million
/// images); when it is sound on every node, the other ranks map it as it is. Throws AgreedError on all ranks
/// with what is wrong on the lowest of them, as Store::open tells it.
std::shared_ptr<const Store> open_once_a_node(Control& control, const Topology& place, const Path& folder,
                                              const ReadPolicy& policy = {});

}  // namespace facemae
