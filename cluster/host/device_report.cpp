#include "cluster/host/device_report.h"

#include <algorithm>
#include <set>

#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::size_t kNamed = 8;  ///< hosts in a message

}  // namespace

bool DeviceReport::has(const std::string& back_end) const {
  return std::find(back_ends.begin(), back_ends.end(), back_end) != back_ends.end();
}

std::string hosts_text(const std::vector<std::string>& hosts) {
  std::vector<std::string> named;
  for (const auto& host : hosts)
    if (std::find(named.begin(), named.end(), host) == named.end()) named.push_back(host);
  const std::size_t more = named.size() > kNamed ? named.size() - kNamed : 0;
  named.resize(named.size() - more);
  return join(named, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

std::map<int, std::string> shared_gpus(const DeviceReports& reports) {
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

std::string why_no_gpu_each(const DeviceReports& reports, const std::string& name, const std::string& title) {
  std::vector<std::string> on_cpu, unbuilt;
  for (const auto& report : reports) {
    if (!report.gpu) on_cpu.push_back(report.host);
    if (!report.has(name)) unbuilt.push_back(report.host);
  }
  if (!on_cpu.empty()) return "ranks on " + hosts_text(on_cpu) + " compute on the CPU";
  if (!unbuilt.empty())
    return "the program was built without " + title + " (facemae --version tells) on " + hosts_text(unbuilt);
  const auto shared = shared_gpus(reports);
  if (!shared.empty()) return "each rank needs a GPU to itself, but " + first_text(shared);
  return "";
}

std::string cuda_version_text(int version) {
  return version == 0 ? "an unknown version of CUDA"
                      : fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
}

std::string why_no_gpu(int driver_version, int runtime_version, const std::string& load_error) {
  if (!load_error.empty())
    return "LibTorch's CUDA library cannot be loaded: " + load_error +
           "; install the full torch wheel (scripts/setup.sh --cuda)";
  if (driver_version > 0 && driver_version / 1000 < runtime_version / 1000)
    return fmt::format(
        "the driver is too old: it supports {}, but this LibTorch needs {}; "
        "update the driver, or build with a LibTorch for {}",
        cuda_version_text(driver_version), cuda_version_text(runtime_version),
        cuda_version_text(driver_version / 1000 * 1000));
  return "NVIDIA's driver is there, but LibTorch sees no GPU: look at nvidia-smi and CUDA_VISIBLE_DEVICES";
}

}  // namespace facemae
