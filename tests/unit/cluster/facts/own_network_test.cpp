#include "cluster/facts/own_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "cluster/facts/probes.h"
#include "tests/unit/cluster/facts/fake_machine.h"

namespace facemae {
namespace {

using testing::ElementsAre, testing::IsEmpty, testing::SizeIs;

/// A node with a loopback and cards of these addresses.
struct Node : FakeMachine {
  explicit Node(std::initializer_list<std::pair<const char*, const char*>> cards) {
    add("lo", "127.0.0.1/8", "772", "0x9");
    for (const auto& [name, address] : cards) add(name, address, "1", "0x1003");
    machine.calls.addresses = [this] { return addresses; };
    machine.calls.resolve = [this](const std::string&) { return Resolved{.addresses = {own}, .fault = ""}; };
    machine.calls.source_address = [this](const std::string&) { return source; };
    machine.calls.answers = [this](const std::string& address) {
      asked.push_back(address);
      return address != silent;
    };
  }
  void add(const std::string& name, const std::string& address, const std::string& type,
           const std::string& flags) {
    file("/sys/class/net/" + name + "/type", type + "\n");
    file("/sys/class/net/" + name + "/flags", flags + "\n");
    addresses.emplace_back(name, address);
  }
  std::vector<std::pair<std::string, std::string>> addresses;
  std::vector<std::string> asked;
  std::string own, source, silent;
};

TEST(OwnNetworks, AreThoseOfTheNameAndTowardsTheLauncher) {
  Node node({{"eth0", "10.9.0.1/24"}, {"docker0", "172.17.0.1/16"}, {"eth1", "10.99.1.7/16"}});
  node.own = "10.9.0.1";
  EXPECT_EQ(own_networks(node.machine), "10.9.0.0/24");
  node.source = "10.99.1.7";
  EXPECT_EQ(own_networks(node.machine), "10.9.0.0/24") << "there is no launcher to go to";
  node.variables["SLURM_LAUNCH_NODE_IPADDR"] = "10.99.0.254";
  EXPECT_EQ(own_networks(node.machine), "10.9.0.0/24,10.99.0.0/16");
}

TEST(OwnNetworks, AreNoneWhereTheNameIsOnTheLoopbackOrTheUserHasChosen) {
  Node node({{"eth0", "10.9.0.1/24"}});
  for (const char* own : {"127.0.1.1", "127.0.0.1"}) {
    node.own = own;
    EXPECT_EQ(own_networks(node.machine), "");
  }
  node.own = "10.9.0.1";
  node.variables["OMPI_MCA_btl_tcp_if_include"] = "lo";
  EXPECT_EQ(own_networks(node.machine), "");
}

TEST(OwnNetworks, AreToldToMpiForAWhile) {
  constexpr const char* variable = "OMPI_MCA_btl_tcp_if_include";
  ::unsetenv(variable);
  {
    const OwnNetworks told("10.9.0.0/24");
    EXPECT_STREQ(std::getenv(variable), "10.9.0.0/24");
  }
  EXPECT_EQ(std::getenv(variable), nullptr);
  const OwnNetworks none("");
  EXPECT_EQ(std::getenv(variable), nullptr);
}

TEST(ProbeSilent, AsksTheOtherNodeInEveryNetworkOfBoth) {
  Node node({{"eth0", "10.9.0.1/24"},
             {"eth1", "10.99.0.1/24"},
             {"eth2", "10.5.0.1/24"},
             {"docker0", "172.17.0.1/16"}});
  node.silent = "10.99.0.2";
  const auto silent = probe_silent(
      node.machine, probe_network(node.machine),
      {.host = "n2",
       .addresses = {"10.9.0.2/24", "10.99.0.2/24", "10.6.0.2/24", "172.17.0.1/16", "172.17.0.9/16"}});
  EXPECT_THAT(node.asked, ElementsAre("10.9.0.2", "10.99.0.2"));
  ASSERT_THAT(silent, SizeIs(1));
  EXPECT_EQ(silent[0].interface, "eth1");
  EXPECT_EQ(silent[0].host, "n2");
  EXPECT_EQ(silent[0].address, "10.99.0.2");
}

TEST(ProbeSilent, LeavesOutCardsThatAreDown) {
  Node node({{"eth0", "10.9.0.1/24"}, {"eth1", "10.99.0.1/24"}});
  node.file("/sys/class/net/eth1/flags", "0x1002\n");
  node.silent = "10.99.0.2";
  EXPECT_THAT(
      probe_silent(node.machine, probe_network(node.machine), {.host = "n2", .addresses = {"10.99.0.2/24"}}),
      IsEmpty());
}

TEST(NetworkOf, CutsTheAddressAtItsPrefix) {
  EXPECT_EQ(network_of("10.1.2.3/16"), "10.1.0.0/16");
  EXPECT_EQ(network_of("10.1.2.3/32"), "10.1.2.3/32");
  EXPECT_EQ(network_of("10.1.2.3/0"), "0.0.0.0/0");
  EXPECT_EQ(network_of("10.1.2.3"), "10.1.2.3");
}

}  // namespace
}  // namespace facemae
