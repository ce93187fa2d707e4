#include "trainer/doctor/network.h"

#include <spdlog/fmt/fmt.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <map>

#include "cluster/host/gather.h"
#include "cluster/mpi/mpi_communicator.h"
#include "core/text.h"
#include "trainer/doctor/pairs.h"
#include "trainer/doctor/percentile.h"
#include "trainer/doctor/share.h"

namespace facemae {
namespace {

constexpr auto kDeadline = std::chrono::minutes(1);  // of one exchange
constexpr std::int64_t kKi = 1024, kMi = 1024 * kKi;
constexpr std::array kSizes = {std::int64_t{8}, kKi, kMi, 25 * kMi, 100 * kMi};
constexpr double kGiga = 1e9;

/// The ranks among which something is summed, as one of them sees them.
struct Circle {
  const char* name;
  Communicator& ranks;
  int group;  ///< the same number on those that sum together; -1: this rank takes no part
};
struct Reductions {
  int group = 0;
  std::vector<double> seconds;  ///< the median of each size; shorter where there was no time
};
void to_json(nlohmann::json& json, const Reductions& r) { json = {r.group, r.seconds}; }
void from_json(const nlohmann::json& json, Reductions& r) {
  json.at(0).get_to(r.group);
  json.at(1).get_to(r.seconds);
}

Reductions reduce(World& world, const Circle& circle, double seconds) {
  Share share(world.control(), seconds);
  Reductions found{.group = circle.group};
  double last = 0;
  std::int64_t before = kMi;
  for (const std::int64_t bytes : kSizes) {
    const auto values = torch::zeros({bytes / 4}, torch::device(circle.ranks.device()));
    const double growth = std::max(1.0, static_cast<double>(bytes) / static_cast<double>(before));
    const auto times = timed(share, bytes < kMi ? 200 : 8, last * growth, [&] {
      if (circle.group < 0) return;
      circle.ranks.all_reduce(values, Reduce::Sum).wait();
      circle.ranks.check();
    });
    if (times.empty()) break;
    found.seconds.push_back(last = median(times));
    before = std::max(bytes, kMi);
  }
  return found;
}

/// Of one size: the seconds of each group, which are those of its slowest rank, and the sizes of the groups.
struct Groups {
  std::map<int, double> seconds;
  std::map<int, int> ranks;
};
Groups groups_of(const std::vector<Reductions>& all, std::size_t size) {
  Groups groups;
  for (const auto& rank : all) {
    if (rank.group < 0 || rank.seconds.size() <= size) continue;
    groups.seconds[rank.group] = std::max(groups.seconds[rank.group], rank.seconds[size]);
    ++groups.ranks[rank.group];
  }
  return groups;
}

/// Figures of one circle, of all sizes that were measured. `hosts`: of groups that are nodes.
std::vector<Measured> figures_of(const Circle& circle, const std::vector<Reductions>& all,
                                 const std::vector<std::string>& hosts, double expected) {
  std::vector<Measured> figures;
  for (std::size_t i = 0; i < kSizes.size(); ++i) {
    const Groups groups = groups_of(all, i);
    if (groups.seconds.empty()) break;
    const bool latency = kSizes[i] < kMi;
    std::vector<double> values, speeds;
    std::vector<int> numbers;
    for (const auto& [group, seconds] : groups.seconds) {
      const double ranks = groups.ranks.at(group);
      const double rate = 2 * (ranks - 1) / ranks * static_cast<double>(kSizes[i]) / seconds / kGiga;
      values.push_back(latency ? 1e3 * seconds : rate);
      speeds.push_back(1 / seconds);
      numbers.push_back(group);
    }
    Measured figure{.id = std::string("net.allreduce.") + circle.name,
                    .value = median(values),
                    .unit = latency ? "ms" : "GB/s",
                    .of = human_bytes(static_cast<std::uint64_t>(kSizes[i])),
                    .expected = latency ? 0 : expected};
    for (const int slow : slow_ones(speeds))
      figure.text += fmt::format("{}{}: {:.3g} {}", figure.text.empty() ? "slow: " : ", ",
                                 hosts.at(static_cast<std::size_t>(numbers[static_cast<std::size_t>(slow)])),
                                 values[static_cast<std::size_t>(slow)], figure.unit);
    figures.push_back(std::move(figure));
  }
  return figures;
}

/// On the root: the name of every node.
std::vector<std::string> hosts_of(World& world) {
  const auto all = gather(world.control(), std::pair(world.topology().node, world.topology().host));
  std::vector<std::string> hosts(static_cast<std::size_t>(world.topology().nodes));
  for (const auto& [node, host] : all) hosts[static_cast<std::size_t>(node)] = host;
  return hosts;
}

}  // namespace

std::vector<Measured> measure_reductions(World& world, double seconds, double fabric) {
  const Topology& here = world.topology();
  if (here.size == 1) return {};
  // Whoever is not of a circle sums with itself alone.
  MpiCommunicator node("node", kDeadline, kMpiCount, torch::kCPU, here.node);
  const int leader = here.local_rank == 0 ? 0 : 1 + here.rank;
  MpiCommunicator between("between", kDeadline, kMpiCount, torch::kCPU, leader);
  std::vector<Circle> circles;
  if (here.nodes < here.size) circles.push_back({"node", node, here.local_size > 1 ? here.node : -1});
  if (here.nodes > 1) circles.push_back({"between", between, leader == 0 ? 0 : -1});
  circles.push_back({"all", world.gradients(), 0});
  const auto hosts = hosts_of(world);
  std::vector<Measured> figures;
  for (const Circle& circle : circles) {
    const auto all =
        gather(world.control(), reduce(world, circle, seconds / static_cast<double>(circles.size())));
    const bool over_fabric = here.nodes > 1 && &circle.ranks != &node;
    for (auto& figure : figures_of(circle, all, hosts, over_fabric ? kExpectedOfFabric * fabric : 0))
      figures.push_back(std::move(figure));
  }
  return figures;
}

std::vector<Measured> measure_pairs(World& world, double seconds, double fabric) {
  const Topology& here = world.topology();
  if (here.nodes == 1) return {};
  constexpr std::int64_t bytes = 4 * kMi;
  const auto rounds = rounds_of_pairs(here.nodes);
  Share share(world.control(), seconds);
  const auto sent = torch::zeros({bytes}, torch::kUInt8), word = torch::zeros({1}, torch::kUInt8);
  std::vector<std::array<double, 3>> mine;  // two nodes and their rate, seen by the lower one
  double round_seconds = 0;
  for (const auto& round : rounds) {
    if (!share.has(round_seconds)) break;
    const Stopwatch watch;
    const auto own = std::find_if(round.begin(), round.end(), [&](const auto& pair) {
      return here.local_rank == 0 && (pair.first == here.node || pair.second == here.node);
    });
    const bool meets = own != round.end();
    MpiCommunicator pair("pair", kDeadline, kMpiCount, torch::kCPU,
                         meets ? own->first : here.nodes + here.rank);
    double slower = 0;
    bool measured = true;
    for (const int from : {0, 1}) {  // both ways at once, rates would tell more of the MPI than of the link
      Share of_way(world.control(), seconds / 2 / static_cast<double>(rounds.size()));
      const auto times = timed(of_way, 8, 0, [&] {
        if (!meets) return;
        pair.broadcast(sent, from).wait();
        pair.broadcast(word, 1 - from).wait();  // it has come
      });
      measured = measured && !times.empty();
      if (measured) slower = std::max(slower, median(times));
    }
    if (!measured) break;
    if (meets && own->first == here.node)
      mine.push_back({static_cast<double>(own->first), static_cast<double>(own->second),
                      static_cast<double>(bytes) / slower / kGiga});
    round_seconds = watch.seconds();
  }
  const auto hosts = hosts_of(world);
  std::vector<PairRate> rates;
  std::vector<double> values;
  for (const auto& rank : gather(world.control(), mine))
    for (const auto& [a, b, rate] : rank) {
      rates.push_back({.a = static_cast<int>(a), .b = static_cast<int>(b), .rate = rate});
      values.push_back(rate);
    }
  if (rates.empty()) return {};
  std::vector<Measured> figures{
      {.id = "net.pairs",
       .value = median(values),
       .unit = "GB/s",
       .of = fmt::format("{} of {} pairs of nodes, the slower way", rates.size(),
                         here.nodes * (here.nodes - 1) / 2),
       .expected = kExpectedOfFabric * fabric,
       .text = fabric > 0 ? "" : "no rate of a fabric is known: slow is what others exceed twice"}};
  const auto slow = slow_links(rates, here.nodes);
  const auto name = [&](int at) { return hosts[static_cast<std::size_t>(at)]; };
  for (const SlowLink& link : slow)
    figures.push_back({.id = "net.pairs",
                       .value = link.rate,
                       .unit = "GB/s",
                       .of = link.other < 0 ? name(link.node) : name(link.node) + " and " + name(link.other),
                       .text = fmt::format("slow: others reach {:.3g}; look at {}", link.usual,
                                           link.other < 0 ? "its card, cable and port of the switch"
                                                          : "the cables and switches between them")});
  return figures;
}

std::vector<Measured> measure_votes(World& world, double seconds) {
  if (world.topology().size == 1) return {};
  Share share(world.control(), seconds);
  std::vector<double> times;
  while (times.size() < 2000 && share.has(0))
    for (int i = 0; i < 50; ++i) {
      const Stopwatch watch;
      world.control().any_of(0);
      times.push_back(1e3 * watch.seconds());
    }
  if (times.empty()) return {};
  return {{.id = "net.vote", .value = percentile(times, 0.5), .unit = "ms", .of = "median"},
          {.id = "net.vote", .value = percentile(times, 0.99), .unit = "ms", .of = "99 of 100 are faster"}};
}

}  // namespace facemae
