#include "cluster/facts/own_network.h"

#include <cstdlib>
#include <set>

#include "cluster/facts/probes.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr const char* kInclude = "OMPI_MCA_btl_tcp_if_include";

}  // namespace

std::string own_networks(const Machine& machine) {
  const NetworkPlace network = probe_network(machine);
  if (!network.chosen.empty()) return "";
  std::set<std::string> sources(network.own.begin(), network.own.end()), networks;
  if (const auto launcher = machine.variable("SLURM_LAUNCH_NODE_IPADDR"); !launcher.empty())
    sources.insert(machine.calls.source_address(launcher));
  for (const auto& interface : network.interfaces)
    for (const auto& address : interface.addresses)
      if (interface.kind != "loopback" && sources.contains(address.substr(0, address.find('/'))))
        networks.insert(network_of(address));
  return join({networks.begin(), networks.end()}, ",");
}

OwnNetworks::OwnNetworks(const std::string& networks) : told_(!networks.empty()) {
  if (told_) ::setenv(kInclude, networks.c_str(), 1);
}

OwnNetworks::~OwnNetworks() {
  if (told_) ::unsetenv(kInclude);
}

}  // namespace facemae
