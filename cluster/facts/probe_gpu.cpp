// NVIDIA's driver, the cards and where they are, and the copies of NCCL in this process.
#include <algorithm>
#include <cctype>
#include <set>

#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"
#include "core/text.h"

namespace facemae {
namespace {

/// "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build": the word like a version.
std::string version_in(const std::string& line) {
  for (const auto& word : split(line, ' '))
    if (word.find('.') != std::string::npos && std::all_of(word.begin(), word.end(), [](unsigned char c) {
          return std::isdigit(c) != 0 || c == '.';
        }))
      return word;
  return "";
}

std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::vector<int> cores_near(const Machine& machine, const std::string& bus) {
  const auto node = number_of(machine.at("/sys/bus/pci/devices") / bus / "numa_node");
  if (!node || *node < 0) return {};
  return core_list(
      text_of(machine.at("/sys/devices/system/node") / ("node" + std::to_string(*node)) / "cpulist"));
}

}  // namespace

void probe_gpu(const Machine& machine, GpuPlace& gpu) {
  const auto lines = lines_of(machine.at("/proc/driver/nvidia/version"));
  if (!lines.empty()) gpu.driver = version_in(lines.front());
  std::set<std::string> files;
  for (const auto& line : lines_of(machine.at("/proc/self/maps")))
    if (const auto at = line.find("libnccl.so"); at != std::string::npos)
      files.insert(line.substr(line.find('/')));
  gpu.nccl_files.assign(files.begin(), files.end());
  if (gpu.driver.empty()) return;
  gpu.cards = machine.calls.cards(gpu.apart);
  for (auto& card : gpu.cards) {
    card.bus = in_lower_case(card.bus);
    card.near = cores_near(machine, card.bus);
  }
}

}  // namespace facemae
