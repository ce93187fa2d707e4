// Network interfaces, the fabric's ports, and which way leads to the other nodes.
#include <algorithm>
#include <array>

#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr int kTypeInfiniBand = 32, kTypeLoopback = 772;  // linux/if_arp.h

std::string kind_of_interface(const Path& folder, const std::string& name) {
  constexpr std::array kBridges = {"docker", "virbr", "br-", "veth", "cni", "lxc", "podman"};
  const auto type = number_of(folder / "type").value_or(0);
  if (type == kTypeLoopback) return "loopback";
  if (type == kTypeInfiniBand) return "infiniband";
  for (const char* beginning : kBridges)
    if (name.starts_with(beginning)) return "bridge";
  return std::filesystem::exists(folder / "device") ? "ethernet" : "virtual";
}

std::vector<Interface> all_interfaces(const Machine& machine) {
  std::vector<Interface> all;
  const Path net = machine.at("/sys/class/net");
  const auto addresses = machine.calls.addresses();
  for (const auto& name : names_in(net)) {
    Interface interface { .name = name, .kind = kind_of_interface(net / name, name) };
    // As MPI sees it: also without a carrier, as docker0 has none when no container runs.
    constexpr unsigned long kIffUp = 1;  // net/if.h
    interface.up = (std::strtoul(text_of(net / name / "flags").c_str(), nullptr, 16) & kIffUp) != 0;
    interface.speed = static_cast<int>(number_of(net / name / "speed").value_or(-1));
    interface.mtu = static_cast<int>(number_of(net / name / "mtu").value_or(-1));
    for (const auto& [of, address] : addresses)
      if (of == name) interface.addresses.push_back(address);
    all.push_back(std::move(interface));
  }
  return all;
}

/// "4: ACTIVE" is "ACTIVE".
std::string after_colon(const std::string& text) { return trim(text.substr(text.find(':') + 1)); }

std::vector<FabricPort> all_ports(const Machine& machine) {
  std::vector<FabricPort> all;
  const Path fabric = machine.at("/sys/class/infiniband");
  for (const auto& device : names_in(fabric))
    for (const auto& port : names_in(fabric / device / "ports")) {
      const Path folder = fabric / device / "ports" / port;
      all.push_back({.port = device + "/" + port,
                     .state = after_colon(text_of(folder / "state")),
                     .link = text_of(folder / "link_layer"),
                     .rate = static_cast<double>(number_of(folder / "rate").value_or(-1))});
    }
  return all;
}

std::string without_prefix(const std::string& address) { return address.substr(0, address.find('/')); }

}  // namespace

NetworkPlace probe_network(const Machine& machine) {
  NetworkPlace network;
  network.interfaces = all_interfaces(machine);
  network.own = machine.calls.resolve(machine.host).addresses;
  network.ports = all_ports(machine);
  for (const char* name : {"OMPI_MCA_btl_tcp_if_include", "OMPI_MCA_btl_tcp_if_exclude", "UCX_NET_DEVICES"})
    if (const auto value = machine.variable(name); !value.empty())
      network.chosen += (network.chosen.empty() ? "" : " ") + std::string(name) + "=" + value;
  return network;
}

std::vector<Way> probe_ways(const Machine& machine, const NetworkPlace& own,
                            const std::vector<Neighbour>& others) {
  std::vector<Way> ways;
  for (const auto& other : others) {
    Way way{.host = other.host};
    const Resolved resolved = machine.calls.resolve(other.host);
    if (!resolved.addresses.empty()) {
      way.address = resolved.addresses.front();
    } else {
      way.fault = resolved.fault.empty() ? "its name stands for no address" : resolved.fault;
    }
    const std::string from = way.address.empty() ? "" : machine.calls.source_address(way.address);
    if (!way.address.empty() && from.empty()) way.fault = "no way leads to " + way.address;
    for (const auto& interface : own.interfaces)
      for (const auto& address : interface.addresses)
        if (!from.empty() && without_prefix(address) == from) way.interface = interface.name;
    ways.push_back(std::move(way));
  }
  return ways;
}

std::vector<Way> probe_silent(const Machine& machine, const NetworkPlace& own, const Neighbour& other) {
  std::vector<Way> silent;
  for (const auto& interface : own.interfaces) {
    if (!interface.up || interface.kind == "loopback" || interface.kind == "bridge") continue;
    for (const auto& mine : interface.addresses)
      for (const auto& theirs : other.addresses)
        if (mine != theirs && network_of(mine) == network_of(theirs) &&
            !machine.calls.answers(without_prefix(theirs)))
          silent.push_back({.host = other.host,
                            .address = without_prefix(theirs),
                            .interface = interface.name,
                            .fault = "it does not answer"});
  }
  return silent;
}

std::string network_of(const std::string& address) {
  const auto parts = split(without_prefix(address), '.');
  const auto slash = address.find('/');
  if (parts.size() != 4 || slash == std::string::npos) return address;
  std::uint32_t value = 0;
  for (const auto& part : parts)
    value = value << 8 | static_cast<std::uint32_t>(std::atoi(part.c_str()) & 255);
  const int bits = std::clamp(std::atoi(address.c_str() + slash + 1), 0, 32);
  value &= bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return fmt::format("{}.{}.{}.{}/{}", value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255, bits);
}

}  // namespace facemae
