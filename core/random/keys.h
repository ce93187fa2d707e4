#pragma once
// Makes randomness from counters: every random choice is a pure function of (seed, purpose, counters), so it
// does not depend on ranks, threads or history.
#include <cstdint>

namespace facemae {

/// What a key is for; no two purposes share draws. Values are part of the run format: never renumber.
enum class Purpose : std::uint64_t {
  Order = 1,         ///< which sample an ordinal refers to (counter: epoch)
  Mask = 2,          ///< which patches are hidden (counter: ordinal)
  Flip = 3,          ///< horizontal mirror (counter: ordinal)
  Init = 4,          ///< initial weights (counter: parameter)
  Embedder = 5,      ///< the random relation embedder (counter: redraw number)
  Classes = 6,       ///< class centres (counter: class id)
  Ingest = 7,        ///< order of the images in a new store
  Synth = 8,         ///< synthetic faces (counters: identity, image)
  Split = 9,         ///< identity splits
  Pairs = 10,        ///< verification pairs
  Samples = 13,      ///< masks of the sample pictures; 11 and 12 were other things in older versions
  Audit = 14,        ///< which images an audit draws
  Persons = 15,      ///< people whom an interval draws (counter: draw)
  Folds = 15,        ///< what attackers learn from, and their controls (counters: stage, fold)
  Spare = 20,        ///< rows that replace unreadable ones (counter: ordinal)
  Balance = 21,      ///< identities and images of the balanced order (counters: identity + 1, round)
  ClassSample = 25,  ///< other classes in the softmax of a step (counters: step, virtual shard)
  Margin = 27,       ///< margins that are drawn (counter: ordinal)
  Network = 28,      ///< dropout, dropped paths and masked tokens of recognition networks (counter: ordinal)
  Code = 26,     ///< photos, noise and nuisance of a picture of --code (counter: ordinal of its first photo)
  Augment = 30,  ///< augmentations for recognition (counters: ordinal, stage)
  Study = 60,    ///< which people a study leaves out, so that all arms have equally many pictures
};

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection with good avalanche.
constexpr std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

/// A 64-bit key from a seed, a purpose and up to two counters.
constexpr std::uint64_t key_of(std::uint64_t seed, Purpose purpose, std::uint64_t a = 0,
                               std::uint64_t b = 0) {
  constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;
  std::uint64_t key = mix(seed + golden);
  key = mix(key ^ (static_cast<std::uint64_t>(purpose) * golden));
  key = mix(key ^ (a + golden));
  return mix(key ^ (b * golden + 1));
}

/// Draws from a key, in order: splitmix64 started at the key. Cheap to create; not for more than 2^32 draws.
class Draws {
 public:
  explicit constexpr Draws(std::uint64_t key) : state_(key) {}
  constexpr std::uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15ULL); }
  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box-Muller, cosine half).
  double normal();
  /// Uniform in [0, n), n > 0, with a bias that does not matter below 2^40.
  constexpr std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }

 private:
  std::uint64_t state_;
};

}  // namespace facemae
