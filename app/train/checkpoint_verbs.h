#pragma once
// The verbs of `facemae checkpoint` that have files of their own. Each gets the words after the verb.
#include "app/command.h"

namespace facemae {

ExitCode checkpoint_verify(App& app, Words words);
ExitCode checkpoint_diff(App& app, Words words);
ExitCode checkpoint_prune(App& app, Words words);

}  // namespace facemae
