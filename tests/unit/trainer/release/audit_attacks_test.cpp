#include "trainer/release/audit_attacks.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"
#include "tests/unit/cluster/world/fake_back_end.h"

namespace facemae {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSubsetOf;
using testing::ThrowsMessage;

std::vector<std::string> chosen(const std::string& attacks) {
  AuditConfig config;
  config.attacks = attacks;
  std::vector<std::string> names;
  for (const AttackKind* kind : chosen_attacks(config)) names.emplace_back(kind->name);
  return names;
}

TEST(AuditAttacks, AreChosenAsSetsOrById) {
  EXPECT_THAT(chosen("quick"), ElementsAre("A0", "A1", "A3", "A10"));
  EXPECT_THAT(chosen("quick"), IsSubsetOf(chosen("standard")));
  EXPECT_THAT(chosen("standard"), AllOf(testing::Contains("A2"), testing::Contains("A14")));
  EXPECT_THAT(chosen("A14, A0"), ElementsAre("A14", "A0"));
  EXPECT_THAT([] { chosen("A1,A99"); }, ThrowsMessage<ConfigError>(HasSubstr("A99")));
}

TEST(AuditAttacks, MakeAttackersWithTheirIds) {
  AuditConfig config;
  const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
  const AttackSupplies supplies{
      config, *world, {{"net", [](const torch::Tensor& images) { return images.flatten(1); }}}, 16, 16};
  for (const AttackKind& kind : attack_kinds()) {
    if (kind.make == nullptr || (kind.lacks && !kind.lacks(config).empty())) continue;
    const Attackers made = kind.make(supplies);
    EXPECT_FALSE(made.empty()) << kind.name;
    for (const auto& attacker : made) {
      EXPECT_EQ(attacker->facts().id, kind.name);
      EXPECT_NE(attacker->facts().knows, "");
    }
  }
}

}  // namespace
}  // namespace facemae
