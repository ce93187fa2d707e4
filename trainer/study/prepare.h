#pragma once
// Opens the stores of a study, chooses an equal number of pictures, makes the views of them and writes the protocol.
#include "trainer/study/protocol.h"

namespace facemae {

/// Makes OUT/stores (views without copies of images) and settles the protocol. To be called under a lock of `out`.
/// Throws ConfigError when a store does not serve, or equal numbers are impossible.
StudyProtocol prepare_study(FileSystem& files, const Path& out, StudyConfig config);

}  // namespace facemae
