#pragma once
// A13: attributes of people, and how far a release gives them away.
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/store/store.h"
#include "evaluation/attacks/attacker.h"
#include "evaluation/attacks/attribute_probe.h"

namespace facemae {

/// Attributes of the people of a store. `file` is a table (CSV): a heading, then one line per person, whose first field
/// is the person's name (in a store without names: the label), the others numbers (yes and no are 1 and 0; an
/// empty field is unknown). People of the store who are not in it are unknown; lines of others are passed over.
/// Throws ConfigError when it names nobody of the store, DataError naming the line.
Attributes read_attributes(const Store& store, const Path& file);
/// Of synthetic faces, known from their names and the seed that they were drawn with. Throws ConfigError when the
/// store holds others.
Attributes synthetic_attributes(const Store& store);

/// Reads what `--attributes` says: "synthetic", or a file.
Attributes attributes_of(const Store& store, const std::string& given);

/// attribute_risks() on colours of 14 x 14 and on each of `embedded` (unit features [P, D] of the released
/// pictures, by name). Attributes are by person, as in links.people_of_class.
std::vector<AttackFigure> attribute_figures(
    const ReleasedFaces& released, const FaceLinks& links, const Attributes& attributes,
    const std::vector<std::pair<std::string, torch::Tensor>>& embedded, std::uint64_t seed);

}  // namespace facemae
