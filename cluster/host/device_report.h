#pragma once
// What one rank found where it runs: the ranks' devices are voted on by these reports.
#include <map>
#include <string>
#include <vector>

namespace facemae {

struct DeviceReport {
  int rank = 0, node = 0;
  std::string host;
  bool gpu = false;       ///< it computes on one
  std::string fault;      ///< else why not, where one was looked for
  std::string name;       ///< of the GPU: "NVIDIA H100 80GB HBM3"
  std::string driver;     ///< what it can do: "CUDA 13.0"
  std::string bus;        ///< the GPU's PCI address, which tells whether ranks of a host share one
  bool bfloat16 = false;  ///< the GPU computes in it at full speed
  std::vector<std::string> back_ends;  ///< that the program was built with, by name

  bool has(const std::string& back_end) const;
};
using DeviceReports = std::vector<DeviceReport>;

/// "n1, n2 and 3 more": hosts in the order of their ranks, each once.
std::string hosts_text(const std::vector<std::string>& hosts);
/// GPUs that several ranks of a node share, "8 ranks on 7 GPU(s) of host n1", by node. By address, not by
/// numbers: a rank may see its own GPU only.
std::map<int, std::string> shared_gpus(const DeviceReports& reports);
/// The first few of these texts.
std::string first_text(const std::map<int, std::string>& of_nodes);
/// Pure. Why a back end that needs a GPU for each rank cannot carry the tensors of these ranks, "" when it can;
/// `name` as reports have it, `title` as messages say it.
std::string why_no_gpu_each(const DeviceReports& reports, const std::string& name, const std::string& title);

/// Pure. Why LibTorch sees no GPU although the machine has NVIDIA's driver; versions as CUDA gives them
/// (13000 for 13.0, 0 when unknown).
std::string why_no_gpu(int driver_version, int runtime_version, const std::string& load_error);
std::string cuda_version_text(int version);  ///< "CUDA 13.0"

}  // namespace facemae
