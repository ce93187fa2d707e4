#include "cluster/host/device_vote.h"

#include <algorithm>
#include <map>
#include <set>

#include "cluster/host/agree.h"
#include "cluster/host/gather.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeviceReport, rank, node, host, gpu, fault, name, driver, bus, bfloat16,
                                   back_ends)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeviceVote, backend, bfloat16, warning, refusal, code, hosts)

namespace {

DeviceVote refused(ExitCode code, std::string why) { return {.refusal = std::move(why), .code = code}; }

/// Ranks without a GPU among ranks that have one.
DeviceVote without_gpu(const DeviceReports& reports) {
  std::vector<std::string> hosts;
  std::string fault;
  for (const auto& report : reports) {
    if (report.gpu) continue;
    hosts.push_back(report.host);
    if (fault.empty()) fault = report.fault;
  }
  DeviceVote vote = refused(
      ExitCode::PeerLost,
      fmt::format(
          "{} of {} ranks have no usable GPU although the others have one: host(s) {} ({}). "
          "Take these hosts out of service (nvidia-smi on them tells more), or use the CPUs of all ranks with --device cpu, or what each rank has with --device mixed",
          hosts.size(), reports.size(), hosts_text(hosts), fault.empty() ? "no reason was given" : fault));
  vote.hosts = std::move(hosts);
  return vote;
}

/// Nothing when all GPUs are of one kind; else which hosts have which, the rarest first.
std::string mixture(const DeviceReports& reports) {
  std::map<std::string, std::vector<std::string>> hosts_of;
  for (const auto& report : reports)
    hosts_of[report.gpu ? report.name + " (" + report.driver + ")" : "the CPU"].push_back(report.host);
  if (hosts_of.size() < 2) return "";
  std::vector<std::pair<std::string, std::vector<std::string>>> kinds(hosts_of.begin(), hosts_of.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  std::vector<std::string> texts;
  texts.reserve(kinds.size());
  for (const auto& [kind, hosts] : kinds) texts.push_back(kind + " on " + hosts_text(hosts));
  return join(texts, "; ");
}

/// The ranks' own back end, once their devices belong together: the first of the table that can carry their
/// tensors, or the one that was asked for.
DeviceVote choose(DeviceVote vote, const DeviceReports& reports, const std::string& device,
                  const std::string& backend, const std::vector<Carrier>& carriers) {
  const Carrier& last = carriers.back();
  vote.backend = last.name;
  if (backend == last.name) return vote;
  std::string obstacle;  // of the first that cannot
  for (const auto& carrier : carriers) {
    if (&carrier == &last || (backend != "auto" && backend != carrier.name)) continue;
    const std::string why = carrier.obstacle(reports);
    if (why.empty()) {
      vote.backend = carrier.name;
      return vote;
    }
    const bool built = std::all_of(reports.begin(), reports.end(),
                                   [&](const auto& report) { return report.has(carrier.name); });
    if (backend == carrier.name || (device == "cuda" && built))
      return refused(
          ExitCode::BadConfiguration,
          fmt::format(
              "{}: {}. "
              "Start as many ranks on a host as it has GPUs, or pass --backend {}, which goes through host copies and is slow",
              backend == carrier.name ? "--backend " + carrier.name
                                      : "--device cuda without " + carrier.title + " would be slow",
              why, last.name));
    if (obstacle.empty()) obstacle = ": " + why;
  }
  if (std::any_of(reports.begin(), reports.end(), [](const auto& report) { return report.gpu; }))
    vote.warning += (vote.warning.empty() ? "" : "; ") +
                    ("CUDA tensors go over " + last.title + " through host copies, which is slow" + obstacle);
  return vote;
}

bool knows(const std::vector<Carrier>& carriers, const std::string& name) {
  return std::any_of(carriers.begin(), carriers.end(),
                     [&](const Carrier& carrier) { return carrier.name == name; });
}

}  // namespace

DeviceVote vote_on_devices(const DeviceReports& reports, const std::string& device,
                           const std::string& backend, const std::vector<Carrier>& carriers) {
  if (backend != "auto" && !knows(carriers, backend))
    return refused(ExitCode::BadConfiguration,
                   "--backend " + backend + ": this program has no such back end");
  const auto gpus = static_cast<std::size_t>(
      std::count_if(reports.begin(), reports.end(), [](const auto& report) { return report.gpu; }));
  const bool alike = device == "auto" || device == "cuda";
  if (gpus == 0 && device == "cuda")
    return refused(ExitCode::BadConfiguration,
                   fmt::format("--device cuda: no rank has a CUDA device that it can use (host {}: {}); "
                               "look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use --device cpu",
                               reports.front().host, reports.front().fault));
  if (alike && gpus > 0 && gpus < reports.size()) return without_gpu(reports);
  const std::string kinds = mixture(reports);
  if (alike && !kinds.empty())
    return refused(
        ExitCode::BadConfiguration,
        "the ranks' GPUs are not alike: " + kinds +
            ". "
            "The slowest one would set the pace, and different GPUs round differently: choose other nodes, or allow this with --device mixed");

  const auto shared = shared_gpus(reports);
  std::set<int> nodes;
  for (const auto& report : reports) nodes.insert(report.node);
  if (alike && backend != carriers.back().name && !shared.empty() && shared.size() < nodes.size())
    return refused(
        ExitCode::PeerLost,
        "a host lacks a GPU that the other hosts have: " + first_text(shared) +
            "; elsewhere each rank has its own. "
            "Take the host out of service (nvidia-smi on it tells more), or start as many ranks on each host as it has GPUs");

  DeviceVote vote;
  vote.bfloat16 = gpus == reports.size() && std::all_of(reports.begin(), reports.end(),
                                                        [](const auto& report) { return report.bfloat16; });
  if (!kinds.empty()) vote.warning = "the ranks' devices are not alike, as --device mixed allows: " + kinds;
  return choose(std::move(vote), reports, device, backend, carriers);
}

DeviceVote agree_on_devices(Control& control, const DeviceReport& mine, const std::string& device,
                            const std::string& backend, const std::vector<Carrier>& carriers) {
  const auto reports = gather(control, mine);
  auto vote = broadcast(
      control, control.is_root() ? vote_on_devices(reports, device, backend, carriers) : DeviceVote{});
  if (vote.refusal.empty()) return vote;
  if (vote.code == ExitCode::PeerLost)
    throw AgreedError(vote.refusal, vote.code, "DeviceLost").blaming({vote.hosts, "device"});
  throw ConfigError(vote.refusal);
}

}  // namespace facemae
