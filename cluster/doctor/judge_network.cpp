// How nodes find each other.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "cluster/doctor/checks.h"
#include "cluster/facts/probes.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

std::string bare(const std::string& address) { return address.substr(0, address.find('/')); }

const Interface* interface_of(const Facts& node, const std::string& name) {
  for (const auto& interface : node.network.interfaces)
    if (interface.name == name) return &interface;
  return nullptr;
}

void judge_names(const Gathered& all, Lines& lines) {
  if (!all.multi_node()) return;
  for (const auto& ranks : all.nodes()) {
    const Facts& node = *ranks.front();
    if (node.network.own.empty()) {
      lines.problem({node.host}, "its own name stands for no address");
      continue;
    }
    const bool loopback = std::any_of(node.network.own.begin(), node.network.own.end(),
                                      [](const std::string& address) { return address.starts_with("127."); });
    if (loopback)
      lines.warn({node.host}, fmt::format("its own name stands for {}, which no other node reaches",
                                          node.network.own.front()));
    for (const auto& way : node.network.ways)
      if (way.address.empty())
        lines.problem({node.host}, fmt::format("does not find {}: {}", way.host, way.fault));
  }
  lines.ok("nodes find each other by name");
}

/// MPI goes by TCP, for no fabric is there, and tries every network: messages wait for ever in one that leads nowhere
/// (measured with Open MPI 4.1.4).
bool waits_in_dead_networks(const Gathered& all) {
  if (!all.first().network.chosen.empty()) return false;
  for (const Facts& rank : all.ranks)
    for (const auto& port : rank.network.ports)
      if (port.state == "ACTIVE") return false;
  return true;
}

/// The networks by which a node goes to the others, "" for an address that none of its interfaces has.
struct Networks {
  std::set<std::string> networks, interfaces;
  bool none = false;
};
Networks networks_of(const Facts& node) {
  Networks found;
  for (const auto& way : node.network.ways) {
    if (way.address.empty()) continue;  // net.names tells
    const Interface* interface = interface_of(node, way.interface);
    found.none = found.none || !way.fault.empty();
    if (interface == nullptr || interface->kind == "loopback")
      continue;  // a name of 127.x: net.names tells, too
    found.interfaces.insert(interface->name);
    if (!interface->addresses.empty()) found.networks.insert(network_of(interface->addresses.front()));
  }
  return found;
}

void judge_way(const Gathered& all, Lines& lines) {
  if (!all.multi_node()) return;
  std::map<std::string, std::vector<std::string>> by_network;
  std::set<std::string> interfaces;
  for (const auto& ranks : all.nodes()) {
    const Facts& node = *ranks.front();
    const Networks found = networks_of(node);
    if (found.none) lines.problem({node.host}, "no way leads to the other nodes");
    interfaces.insert(found.interfaces.begin(), found.interfaces.end());
    for (const auto& network : found.networks) by_network[network].push_back(node.host);
  }
  if (by_network.empty()) return;
  const auto most = std::max_element(by_network.begin(), by_network.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  const std::string values =
      fmt::format("export OMPI_MCA_btl_tcp_if_include={} NCCL_SOCKET_IFNAME={}", most->first,
                  "=" + join({interfaces.begin(), interfaces.end()}, ","));
  for (const auto& [network, hosts] : by_network)
    if (network != most->first)
      lines.warn(hosts, fmt::format("goes to other nodes by {}, others by {}", network, most->first), values);
  if (all.first().network.chosen.empty())
    for (const auto& ranks : all.nodes())
      for (const auto& way : ranks.front()->network.silent) {
        const Interface* interface = interface_of(*ranks.front(), way.interface);
        if (interface == nullptr || interface->addresses.empty()) continue;
        const std::string text = fmt::format("{} leads nowhere: other nodes do not answer in {}",
                                             way.interface, network_of(interface->addresses.front()));
        if (waits_in_dead_networks(all))
          lines.problem({ranks.front()->host}, text + ", where MPI waits for ever", values);
        else
          lines.warn({ranks.front()->host}, text, values);
      }
  lines.ok(
      fmt::format("one network: {} on {}", most->first, join({interfaces.begin(), interfaces.end()}, ", ")));
}

void judge_bridges(const Gathered& all, Lines& lines) {
  if (!all.multi_node()) return;
  std::map<std::string, std::set<std::string>> hosts_of;  // of addresses
  std::map<std::string, std::string> interface_at;        // of addresses
  std::set<std::string> bridges, bridged;
  for (const auto& ranks : all.nodes())
    for (const auto& interface : ranks.front()->network.interfaces) {
      if (interface.kind == "loopback" || !interface.up) continue;
      for (const auto& address : interface.addresses) {
        hosts_of[bare(address)].insert(ranks.front()->host);
        interface_at[bare(address)] = interface.name;
      }
      if (interface.kind == "bridge" && !interface.addresses.empty())
        bridges.insert(interface.name), bridged.insert(ranks.front()->host);
    }
  for (const auto& [address, hosts] : hosts_of)
    if (hosts.size() > 1) bridges.insert(interface_at[address]), bridged.insert(hosts.begin(), hosts.end());
  if (bridges.empty() || !all.first().network.chosen.empty())
    return lines.ok("no addresses that lead nowhere");
  const std::string names = join({bridges.begin(), bridges.end()}, ",");
  const std::vector<std::string> at(bridged.begin(), bridged.end());
  const std::string values = fmt::format(
      "export OMPI_MCA_btl_tcp_if_exclude=lo,{0} OMPI_MCA_oob_tcp_if_exclude=lo,{0} NCCL_SOCKET_IFNAME=^lo,{0}",
      names);
  const bool twice = std::any_of(hosts_of.begin(), hosts_of.end(),
                                 [](const auto& address) { return address.second.size() > 1; });
  if (twice && waits_in_dead_networks(all)) {
    lines.problem(
        at, names + " has one address on several nodes: MPI waits for ever for a node that is the own one",
        values);
  } else {
    lines.warn(at, names + " lead(s) to no other node, and MPI may try it", values);
  }
}

void judge_fabric(const Gathered& all, Lines& lines) {
  std::set<std::string> active;  // somewhere
  for (const Facts& rank : all.ranks)
    for (const auto& port : rank.network.ports)
      if (port.state == "ACTIVE") active.insert(port.port);
  if (active.empty()) return;
  for (const auto& ranks : all.nodes()) {
    std::set<std::string> missing = active;
    for (const auto& port : ranks.front()->network.ports)
      if (port.state == "ACTIVE") missing.erase(port.port);
    if (!missing.empty())
      lines.problem({ranks.front()->host},
                    fmt::format("port {} is down or not there, on other nodes it is up",
                                join({missing.begin(), missing.end()}, ", ")));
  }
  lines.ok(join({active.begin(), active.end()}, ", "));
}

constexpr std::array kNetworkChecks = {
    Check{"net.names", "getaddrinfo of the node's own name and of the others, on several nodes",
          "an address of the network", "127.x", "none",
          "give /etc/hosts or the name server the address by which other nodes reach it", true, false,
          judge_names},
    Check{
        "net.way",
        "the interface from which the kernel goes to each other node; whether the next node answers in every network "
        "that both have",
        "one network", "another network on some nodes, or one that leads nowhere beside a fabric",
        "no way, or a network that leads nowhere where there is no fabric",
        "ask the administrator for a route, or name the network: export OMPI_MCA_btl_tcp_if_include=10.1.0.0/16",
        true, true, judge_way},
    Check{"net.bridges",
          "bridges that are up, addresses that two nodes have, unless MPI is told its networks", "none",
          "some", "an address on two nodes, where there is no fabric",
          "export OMPI_MCA_btl_tcp_if_exclude=lo,docker0", false, false, judge_bridges},
    Check{"net.fabric", "/sys/class/infiniband/*/ports/*/state", "ACTIVE on all nodes", "",
          "down on some nodes", "tell the administrator; start without the node: srun --exclude=HOST", true,
          false, judge_fabric},
};

}  // namespace

std::span<const Check> network_checks() { return kNetworkChecks; }

}  // namespace facemae
