#pragma once
// What recognition training draws of a face: functions of (seed, ordinal), and so the same on any number of ranks and
// after any resume.
#include <torch/types.h>

#include <cstdint>

#include "trainer/step/faces.h"

namespace facemae {

class RecognitionDraws {
 public:
  /// `margins`: margins are drawn; `network`: the network draws (RecognitionNetwork::draws()).
  RecognitionDraws(std::uint64_t seed, bool margins, bool network)
      : seed_(seed), margins_(margins), network_(network) {}

  NoiseConfig noise() const;                        ///< what loaders are to draw ahead
  torch::Tensor margins(const Faces& faces) const;  ///< [b] float32, normal; undefined: none
  torch::Tensor keys(
      const Faces& faces) const;  ///< [b] int64 for RecognitionNetwork::forward_drawn(); undefined: none

 private:
  /// [b] float64, of the number `which` of noise().
  torch::Tensor drawn(const Faces& faces, std::int64_t which) const;

  std::uint64_t seed_;
  bool margins_, network_;
};

}  // namespace facemae
