#pragma once
// Writes the embeddings of many images as one .npy, without holding them in memory.
#include "trainer/apply/embed_images.h"

namespace facemae {

/// All ranks, before work whose result goes to `out`. Throws AgreedError (exit 2) when several ranks cannot write
/// it: a pipe or a device, or a folder that is not the same for all of them.
void require_place_of_embeddings(Control& control, const Path& out);

/// Writes [images.size, network.width()] float32 to `out`: each rank embeds whole batches and writes them at their place as
/// they are ready. The file has its name when it is complete and durable, and a failure leaves nothing; a pipe, a
/// device or stdout is written into by a process alone. The bytes are the same for any number of ranks, if each has
/// the same number of threads. All ranks. Throws AgreedError.
void write_embeddings(const ImageSet& images, RecognitionNetwork& network, World& world,
                      const EmbedConfig& config, const Path& out);

}  // namespace facemae
