#include "trainer/doctor/fabric.h"

#include <gtest/gtest.h>

#include "tests/temporary_folder.h"

namespace facemae {
namespace {

void plant_port(const Path& sys, const std::string& card, const std::string& state, const std::string& rate) {
  const Path port = sys / "class" / "infiniband" / card / "ports" / "1";
  std::filesystem::create_directories(port);
  write_whole(real_files(), port / "state", state + "\n");
  write_whole(real_files(), port / "rate", rate + "\n");
}

TEST(FabricRate, IsOfTheFastestPortThatIsActive) {
  const test::TemporaryFolder sys;
  plant_port(sys.path(), "mlx5_0", "4: ACTIVE", "100 Gb/sec (4X EDR)");
  plant_port(sys.path(), "mlx5_1", "4: ACTIVE", "2.5 Gb/sec (1X SDR)");
  plant_port(sys.path(), "mlx5_2", "1: DOWN", "400 Gb/sec (4X NDR)");
  EXPECT_EQ(fabric_rate(sys.path()), 12.5);
}

TEST(FabricRate, IsZeroWithoutAFabric) {
  const test::TemporaryFolder sys;
  EXPECT_EQ(fabric_rate(sys.path()), 0);
}

}  // namespace
}  // namespace facemae
