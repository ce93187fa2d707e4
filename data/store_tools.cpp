#include "data/store_tools.h"

#include <cmath>

#include "core/error.h"
#include "core/keys.h"
#include "core/log.h"
#include "core/permutation.h"
#include "data/manifest.h"

namespace facemae {
namespace {

struct Side {
  std::vector<std::uint64_t> rows;
  std::vector<std::int64_t> labels;
  std::vector<std::string> names;
};

}  // namespace

void split_store(FileSystem& files, const Store& parent, double fraction, std::uint64_t seed, const Path& a,
                 const Path& b) {
  const std::int64_t identities = parent.identities();
  const auto in_a = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(identities)));
  if (!(fraction > 0 && fraction < 1) || in_a < 1 || in_a >= identities) {
    throw ConfigError(
        fmt::format("splitting {} identities of {} at {}: one side would be empty; give a fraction "
                    "between 0 and 1 that leaves an identity on both",
                    identities, parent.folder().string(), fraction));
  }
  if (std::filesystem::weakly_canonical(a) == std::filesystem::weakly_canonical(b)) {
    throw ConfigError("splitting " + parent.folder().string() + ": both sides would be written to " +
                      a.string());
  }
  const Permutation place(static_cast<std::uint64_t>(identities), key_of(seed, Purpose::Split));
  Side sides[2];
  std::vector<std::int64_t> new_label(static_cast<std::size_t>(identities));
  std::vector<int> side_of(static_cast<std::size_t>(identities));
  for (std::size_t k = 0; k < side_of.size(); ++k) {
    side_of[k] = place(k) < static_cast<std::uint64_t>(in_a) ? 0 : 1;
    Side& side = sides[side_of[k]];
    new_label[k] = static_cast<std::int64_t>(side.names.size());
    side.names.push_back(parent.identity_name(static_cast<std::int64_t>(k)));
  }
  for (std::uint64_t row = 0; row < parent.size(); ++row) {
    const std::int64_t label = parent.label(row);
    if (label < 0) continue;  // without an identity it can be on neither side
    const auto k = static_cast<std::size_t>(label);
    Side& side = sides[side_of[k]];
    side.rows.push_back(row);
    side.labels.push_back(new_label[k]);
  }
  for (int i = 0; i < 2; ++i) {
    if (parent.released()) sides[i].names.clear();
    write_view(files, i == 0 ? a : b, parent, std::move(sides[i].rows), std::move(sides[i].labels),
               std::move(sides[i].names));
  }
}

}  // namespace facemae
