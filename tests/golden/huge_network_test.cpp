// 3 GiB of weights, which take a while to make.
#include "tests/golden/network_counts.h"

namespace facemae {
namespace {

TEST(HugeNetwork, HasTheCountsOfItsPublicImplementation) { expect_counts({"vit-h", 756'393'984, 546}); }

}  // namespace
}  // namespace facemae
