#pragma once
// Opens the stores of a study, chooses an equal number of pictures, makes the views of them and writes the protocol.
#include <functional>

#include "trainer/study/protocol.h"

namespace facemae {

/// Makes OUT/stores (views without copies of images) and settles the protocol. To be called under a lock of `out`.
/// Throws ConfigError when a store does not serve, or equal numbers are impossible.
///
/// `try_command` is called with units of the new plan, at least one of every form, and throws for one that would be refused:
/// nobody wants to learn of a wrong word after hours.
StudyProtocol prepare_study(FileSystem& files, const Path& out, StudyConfig config,
                            const std::function<void(const StudyUnit&)>& try_command);

}  // namespace facemae
