#pragma once
// Reads a checkpoint into live tensors of any world, and proves that memory is what was saved.
#include "checkpoint/format/class_map.h"
#include "checkpoint/format/manifest.h"
#include "checkpoint/tensors/snapshot.h"
#include "checkpoint/tensors/state.h"
#include "cluster/tensors/communicator.h"
#include "core/files/files.h"

namespace facemae {

/// One line per tensor that is missing, extra, or of another type or shape; none if all are equal. With
/// `classes_may_differ`, the numbers of classes and of virtual shards are not compared.
std::vector<std::string> differences(const Manifest& manifest, const StateShape& shape,
                                     std::int64_t virtual_shards, bool classes_may_differ = false);

/// Reads a whole replicated tensor into a new CPU tensor. Throws CheckpointError.
torch::Tensor read_tensor(const Path& folder, const Manifest& manifest, const ManifestTensor& tensor);

/// What to read into: the tensors of `live`, and plain ones in place of those that are laid out in another memory format,
/// so that slices of them travel between the ranks, too.
Snapshot plain_tensors_for(const Snapshot& live);
/// Copies what was read into plain ones.
void take_over(const Snapshot& plain, Snapshot& live);

/// Reads what this rank holds, in place: its class rows, and all replicated tensors, or with
/// `slicing` its slice of those that can be sliced. With a class map, class rows come from where it
/// says. Throws CheckpointError.
void read_own(const Path& folder, const Manifest& manifest, Snapshot& into, const StateShape& shape, int rank,
              int world, const Communicator* slicing, const ClassMap* map);
/// All ranks, after reading slices with the same communicator: gives every rank the others'. Throws PeerLost.
void exchange_replicated(Snapshot& into, const StateShape& shape, Communicator& ranks);
/// Hashes what is in memory now and compares: this finds what a copy, a device or the network has spoilt.
/// Returns the pieces found: class tensors' own rows (unless they were `mapped`), and on rank 0 the
/// replicated tensors. Throws CheckpointError.
RankReport check_memory(const Manifest& manifest, const Snapshot& into, const StateShape& shape, int rank,
                        bool mapped);

/// The root over what all ranks report to have in memory. Throws CheckpointError if they do not add up.
Hash128 root_of_memory(const Manifest& manifest, const std::vector<std::string>& reports);

}  // namespace facemae
