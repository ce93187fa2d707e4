#pragma once
// The same number of pictures in every arm: how many people, and how many images of each.
#include <cstdint>
#include <optional>
#include <span>

namespace facemae {

/// `people` identities with `images` images each.
struct EqualShare {
  std::uint64_t people = 0, images = 0;
  std::uint64_t pictures() const { return people * images; }
  bool operator==(const EqualShare&) const = default;
};

/// The largest share of a store whose identities have `counts` images: people is a multiple of `multiple` (so that
/// groups of every size come out even), images is `images`, or, if that is 0, what gives most pictures. No people
/// when there is none.
EqualShare largest_share(std::span<const std::uint64_t> counts, std::uint64_t multiple, std::uint64_t images);

/// A share with exactly `pictures` pictures: with `images` of each if possible, else with as many people as
/// possible.
std::optional<EqualShare> share_of(std::span<const std::uint64_t> counts, std::uint64_t pictures,
                                   std::uint64_t images);

}  // namespace facemae
