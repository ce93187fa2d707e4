#pragma once
// A pack by several ranks in one process.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "data/pack/pack.h"

namespace facemae::test_images {

/// All ranks of a pack, phase by phase, in changing turns.
inline PackResult pack_on(int ranks, const ImageSource& source, const PackConfig& config) {
  std::vector<std::unique_ptr<Packing>> packings;
  std::vector<std::vector<std::function<void()>>> phases;
  for (int rank = 0; rank < ranks; ++rank) {
    packings.push_back(std::make_unique<Packing>(source, config, real_files(), rank, ranks));
    EXPECT_EQ(packings.back()->settings(), packings.front()->settings());
    phases.push_back(packings.back()->phases());
  }
  for (std::size_t phase = 0; phase < phases.front().size(); ++phase)
    for (std::size_t turn = 0; turn < phases.size(); ++turn) phases[(turn + phase) % phases.size()][phase]();
  return packings.front()->result();
}

}  // namespace facemae::test_images
