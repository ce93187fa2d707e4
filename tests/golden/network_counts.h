#pragma once
// Parameters and tensors of networks, as the public implementations have them.
#include <gtest/gtest.h>

#include "model/recognition/recognition.h"

namespace facemae {

struct NetworkCounts {
  const char* network;
  std::int64_t parameters;
  std::size_t tensors;  ///< of the state dict
};

inline void expect_counts(const NetworkCounts& wanted) {
  const auto network = make_network(wanted.network);
  std::int64_t parameters = 0;
  for (const auto& parameter : network->parameters()) parameters += parameter.numel();
  EXPECT_EQ(parameters, wanted.parameters) << wanted.network;
  EXPECT_EQ(state_of(*network).size(), wanted.tensors) << wanted.network;
  EXPECT_NEAR(network_kind(wanted.network).parameters / static_cast<double>(parameters), 1, 0.06)
      << wanted.network;
}

}  // namespace facemae
