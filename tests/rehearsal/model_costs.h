#pragma once
// What bench/model_costs.py says that a step sends, beside what it did send.
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/files/files.h"
#include "tests/rehearsal/wire.h"

namespace facemae::rehearsal {

/// The traffic of one step on one of several ranks, by verb, is that of the model: to the call and to the byte. And its
/// launches are, to 2 %, if given: the model has those of bfloat16. `words` are what the configuration of `run` does not
/// tell, each after a comma. Nothing is compared without Python.
void expect_modelled(const std::map<std::string, Traffic>& step, std::optional<std::int64_t> launches,
                     const Path& run, int ranks, const std::string& words);

}  // namespace facemae::rehearsal
