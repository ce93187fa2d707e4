#pragma once
// facemae import --arcface-torch: a run of insightface's arcface_torch becomes one of `facemae recognize`.
#include "app/command.h"

namespace facemae {

/// Is this what the words after `import` ask for?
bool asks_for_arcface(Words words);
ExitCode run_import_arcface(App& app, Words words);

}  // namespace facemae
