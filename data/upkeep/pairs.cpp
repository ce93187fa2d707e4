#include <set>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "data/upkeep/store_tools.h"

namespace facemae {
namespace {

using Rows = std::span<const std::uint64_t>;

/// Draws distinct pairs of one fold: its identities and their rows.
class FoldPairs {
 public:
  FoldPairs(const std::vector<Rows>& identities, std::uint64_t key) : draws_(key) {
    for (const Rows rows : identities) {
      if (rows.empty()) continue;
      identities_.push_back(rows);
      const auto n = static_cast<double>(rows.size());
      images_ += n;
      same_possible_ += n * (n - 1) / 2;
      if (rows.size() > 1) several_.push_back(rows);
    }
    different_possible_ = images_ * (images_ - 1) / 2 - same_possible_;
  }
  bool enough(std::uint64_t each) const {
    return same_possible_ >= static_cast<double>(each) && different_possible_ >= static_cast<double>(each);
  }
  Pair same() {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const Rows rows = several_[draws_.below(several_.size())];
      const std::uint64_t i = draws_.below(rows.size());
      const std::uint64_t j = (i + 1 + draws_.below(rows.size() - 1)) % rows.size();
      if (fresh(rows[i], rows[j])) return {rows[i], rows[j], true};
    }
    // Nearly all have been used: take the first that is left. Those before it stay used.
    for (auto& [p, i, j] = next_same_; p < several_.size(); ++p, i = 0, j = 1) {
      const Rows rows = several_[p];
      for (; i < rows.size(); ++i, j = i + 1)
        for (; j < rows.size(); ++j)
          if (fresh(rows[i], rows[j])) return {rows[i], rows[j], true};
    }
    throw Error("no same-identity pair is left, although they were counted");
  }
  Pair different() {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::uint64_t p = draws_.below(identities_.size());
      const std::uint64_t q = (p + 1 + draws_.below(identities_.size() - 1)) % identities_.size();
      const std::uint64_t a = identities_[p][draws_.below(identities_[p].size())];
      const std::uint64_t b = identities_[q][draws_.below(identities_[q].size())];
      if (fresh(a, b)) return {a, b, false};
    }
    for (auto& [p, q, i, j] = next_different_; p < identities_.size(); ++p, q = p + 1, i = 0, j = 0)
      for (; q < identities_.size(); ++q, i = 0, j = 0)
        for (; i < identities_[p].size(); ++i, j = 0)
          for (; j < identities_[q].size(); ++j)
            if (fresh(identities_[p][i], identities_[q][j]))
              return {identities_[p][i], identities_[q][j], false};
    throw Error("no different-identity pair is left, although they were counted");
  }

 private:
  static constexpr int kAttempts = 200;
  bool fresh(std::uint64_t a, std::uint64_t b) {
    return used_.emplace(std::min(a, b), std::max(a, b)).second;
  }

  Draws draws_;
  std::vector<Rows> identities_, several_;
  double images_ = 0, same_possible_ = 0, different_possible_ = 0;
  std::set<std::pair<std::uint64_t, std::uint64_t>> used_;
  // Where the search for what is left goes on, when drawing finds nothing new.
  struct {
    std::size_t identity = 0, first = 0, second = 1;
  } next_same_;
  struct {
    std::size_t one = 0, other = 1, first = 0, second = 0;
  } next_different_;
};

}  // namespace

PairList make_pairs(const Store& store, int folds, std::uint64_t pairs, std::uint64_t seed) {
  const auto identities = static_cast<std::uint64_t>(std::max<std::int64_t>(store.identities(), 0));
  const auto parts = static_cast<std::uint64_t>(std::max(folds, 0));
  if (parts < 1 || pairs / parts < 2) {
    throw ConfigError(
        fmt::format("making {} pairs in {} folds: each fold needs at least two pairs", pairs, folds));
  }
  if (identities < 2 * parts) {
    throw ConfigError(
        fmt::format("making pairs from {}: {} identities are too few for {} folds of at least two; "
                    "ask for fewer folds",
                    store.folder().string(), identities, folds));
  }
  const std::uint64_t each = pairs / parts / 2;  // same, and as many different
  const Permutation shuffled(identities, key_of(seed, Purpose::Pairs));
  PairList list{.folds = folds, .pairs = {}};
  for (std::uint64_t fold = 0; fold < parts; ++fold) {
    std::vector<Rows> rows;
    for (std::uint64_t i = fold * identities / parts; i < (fold + 1) * identities / parts; ++i) {
      rows.push_back(store.rows_of(static_cast<std::int64_t>(shuffled(i))));
    }
    FoldPairs drawn(rows, key_of(seed, Purpose::Pairs, 1, fold));
    if (!drawn.enough(each)) {
      throw ConfigError(
          fmt::format("making pairs from {}: fold {} has too few images for {} same and {} different pairs; "
                      "ask for fewer pairs or folds",
                      store.folder().string(), fold, each, each));
    }
    for (std::uint64_t i = 0; i < each; ++i) {
      list.pairs.push_back(drawn.same());
      list.pairs.push_back(drawn.different());
    }
  }
  return list;
}

void write_pairs(FileSystem& files, const Path& path, const PairList& pairs, const Store& store) {
  std::string text =
      fmt::format("# facemae pairs: folds {}, store {}\n", pairs.folds, store.dataset_digest().hex());
  for (const Pair& pair : pairs.pairs) text += fmt::format("{} {} {}\n", pair.a, pair.b, pair.same ? 1 : 0);
  write_output(files, path, text);
}

}  // namespace facemae
