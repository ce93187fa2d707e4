#include "cluster/host/device_vote.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cluster/host/agree.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::size_t kNamed = 8;  ///< hosts in a message

using Reports = std::vector<DeviceReport>;

/// "n1, n2 and 3 more": hosts in the order of their ranks, each once.
std::string hosts_text(const std::vector<std::string>& hosts) {
  std::vector<std::string> named;
  for (const auto& host : hosts)
    if (std::find(named.begin(), named.end(), host) == named.end()) named.push_back(host);
  const std::size_t more = named.size() > kNamed ? named.size() - kNamed : 0;
  named.resize(named.size() - more);
  return join(named, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

DeviceVote refused(ExitCode code, std::string why) { return {.refusal = std::move(why), .code = code}; }

/// GPUs that several ranks of a node share, "8 ranks on 7 GPU(s) of host n1", by node. By address, not by
/// numbers: a rank may see its own GPU only.
std::map<int, std::string> shared_gpus(const Reports& reports) {
  std::map<int, std::vector<const DeviceReport*>> by_node;
  for (const auto& report : reports)
    if (report.gpu && !report.bus.empty()) by_node[report.node].push_back(&report);
  std::map<int, std::string> shared;
  for (const auto& [node, ranks] : by_node) {
    std::set<std::string> gpus;
    for (const auto* report : ranks) gpus.insert(report->bus);
    if (gpus.size() < ranks.size())
      shared[node] =
          fmt::format("{} ranks on {} GPU(s) of host {}", ranks.size(), gpus.size(), ranks.front()->host);
  }
  return shared;
}

std::string first_text(const std::map<int, std::string>& of_nodes) {
  std::vector<std::string> texts;
  for (const auto& [node, text] : of_nodes)
    if (texts.size() < kNamed) texts.push_back(text);
  return join(texts, "; ");
}

/// Ranks without a GPU among ranks that have one.
DeviceVote without_gpu(const Reports& reports) {
  std::vector<std::string> hosts;
  std::string fault;
  for (const auto& report : reports) {
    if (report.gpu) continue;
    hosts.push_back(report.host);
    if (fault.empty()) fault = report.fault;
  }
  return refused(
      ExitCode::PeerLost,
      fmt::format(
          "{} of {} ranks have no GPU that they can use, the others have one: host(s) {} ({}). "
          "Take them out of service (nvidia-smi there tells more), or compute on all CPUs with --device cpu, or on what each rank has with --device mixed",
          hosts.size(), reports.size(), hosts_text(hosts), fault.empty() ? "no reason was given" : fault));
}

/// Nothing when all GPUs are of one kind; else which hosts have which, the rarest first.
std::string mixture(const Reports& reports) {
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

/// Why NCCL cannot carry the tensors; "" when it can.
std::string why_no_nccl(const Reports& reports, const std::map<int, std::string>& shared) {
  std::vector<std::string> on_cpu, unbuilt;
  for (const auto& report : reports) {
    if (!report.gpu) on_cpu.push_back(report.host);
    if (!report.nccl) unbuilt.push_back(report.host);
  }
  if (!on_cpu.empty()) return "ranks on " + hosts_text(on_cpu) + " compute on the CPU";
  if (!unbuilt.empty())
    return "the program was built without NCCL (facemae --version tells) on " + hosts_text(unbuilt);
  if (!shared.empty()) return "each rank needs a GPU to itself, but " + first_text(shared);
  return "";
}

std::string to_text(const DeviceReport& report) {
  return nlohmann::json{{"rank", report.rank},        {"node", report.node},   {"host", report.host},
                        {"gpu", report.gpu},          {"fault", report.fault}, {"name", report.name},
                        {"driver", report.driver},    {"bus", report.bus},     {"nccl", report.nccl},
                        {"bfloat16", report.bfloat16}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

DeviceReport report_from(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  return {.rank = json.at("rank"),
          .node = json.at("node"),
          .host = json.at("host"),
          .gpu = json.at("gpu"),
          .fault = json.at("fault"),
          .name = json.at("name"),
          .driver = json.at("driver"),
          .bus = json.at("bus"),
          .nccl = json.at("nccl"),
          .bfloat16 = json.at("bfloat16")};
}

}  // namespace

DeviceVote vote_on_devices(const Reports& reports, const std::string& device, const std::string& backend) {
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
            "The slowest would set the pace and they round differently: choose other nodes, or ask for this with --device mixed");

  const auto shared = shared_gpus(reports);
  std::set<int> nodes;
  for (const auto& report : reports) nodes.insert(report.node);
  if (alike && backend != "mpi" && !shared.empty() && shared.size() < nodes.size())
    return refused(
        ExitCode::PeerLost,
        "a GPU is missing that other hosts have: " + first_text(shared) +
            ", elsewhere one for each rank. "
            "Take the host out of service (nvidia-smi there tells more), or start the same number of ranks as each host has GPUs");

  DeviceVote vote;
  vote.bfloat16 = gpus == reports.size() && std::all_of(reports.begin(), reports.end(),
                                                        [](const auto& report) { return report.bfloat16; });
  if (!kinds.empty()) vote.warning = "the ranks' devices are not alike, as asked for: " + kinds;
  if (backend == "mpi") return vote;
  const std::string obstacle = why_no_nccl(reports, shared);
  if (obstacle.empty()) {
    vote.backend = "nccl";
    return vote;
  }
  const bool built =
      std::all_of(reports.begin(), reports.end(), [](const auto& report) { return report.nccl; });
  if (backend == "nccl" || (device == "cuda" && built))
    return refused(
        ExitCode::BadConfiguration,
        fmt::format(
            "{}: {}. "
            "Start as many ranks on a host as it has GPUs, or pass --backend mpi, which goes through host copies and is slow",
            backend == "nccl" ? "--backend nccl" : "--device cuda without NCCL would be slow", obstacle));
  if (gpus > 0)
    vote.warning += (vote.warning.empty() ? "" : "; ") +
                    ("CUDA tensors go over MPI through host copies, which is slow: " + obstacle);
  return vote;
}

DeviceVote agree_on_devices(Control& control, const DeviceReport& mine, const std::string& device,
                            const std::string& backend) {
  const auto texts = control.gather(to_text(mine));
  std::string result;
  if (control.is_root()) {
    Reports reports;
    reports.reserve(texts.size());
    for (const auto& text : texts) reports.push_back(report_from(text));
    const DeviceVote vote = vote_on_devices(reports, device, backend);
    result = nlohmann::json{{"backend", vote.backend},
                            {"bfloat16", vote.bfloat16},
                            {"warning", vote.warning},
                            {"refusal", vote.refusal},
                            {"code", static_cast<int>(vote.code)}}
                 .dump();
  }
  const auto json = nlohmann::json::parse(control.broadcast(result));
  DeviceVote vote{.backend = json.at("backend"),
                  .bfloat16 = json.at("bfloat16"),
                  .warning = json.at("warning"),
                  .refusal = json.at("refusal"),
                  .code = static_cast<ExitCode>(json.at("code").get<int>())};
  if (vote.refusal.empty()) return vote;
  if (vote.code == ExitCode::PeerLost) throw AgreedError(vote.refusal, vote.code, "DeviceLost");
  throw ConfigError(vote.refusal);
}

std::string cuda_version_text(int version) {
  return version == 0 ? "an unknown CUDA" : fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
}

std::string why_no_gpu(int driver_version, int runtime_version, const std::string& load_error) {
  if (!load_error.empty())
    return "LibTorch's CUDA library cannot be loaded: " + load_error +
           "; install the full torch wheel (scripts/setup.sh --cuda)";
  if (driver_version > 0 && driver_version / 1000 < runtime_version / 1000)
    return fmt::format(
        "the driver is too old: it can do {}, LibTorch here needs {}; "
        "update the driver, or build with a LibTorch for {}",
        cuda_version_text(driver_version), cuda_version_text(runtime_version),
        cuda_version_text(driver_version / 1000 * 1000));
  return "NVIDIA's driver is there, but LibTorch sees no GPU: look at nvidia-smi and CUDA_VISIBLE_DEVICES";
}

}  // namespace facemae
