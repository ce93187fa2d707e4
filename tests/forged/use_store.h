#pragma once
// Everything that the program does with a store that somebody hands it.
#include <functional>

#include "core/files/files.h"

namespace facemae::forged {

/// How far a store came. What is refused is refused by an Error.
struct Reached {
  int described = 0, verified = 0, opened = 0, split = 0, batches = 0, trained = 0;
};

/// One training step on the store, with everything around it; null when the program has no LibTorch.
using Train = std::function<void(const Path& store, const Path& run)>;

/// `info`, `verify`, opening, every row and name, `split`, `compact`, `stage`, `pairs`, a batch of the
/// loader, and a step. Throws anything but an Error only when there is a fault. Adds to `reached`.
void use_store(const Path& store, const Path& scratch, const Train& train, Reached& reached);

/// Made ready before the first store is seen.
Train training();

}  // namespace facemae::forged
