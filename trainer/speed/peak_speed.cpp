#include "trainer/speed/peak_speed.h"

namespace facemae {
namespace {

/// In 10^12 operations per second, without sparsity; 0: it has none, or its maker states none.
struct Peak {
  const char* name;  ///< part of the driver's name; of several that fit the first counts
  double bfloat16, tf32, float32;
};

// NVIDIA's data sheets, which state most tensor-core figures with sparsity: half of those.
constexpr Peak kPeaks[] = {
    // B200: "HGX B200" data sheet (2024), an eighth of eight
    {"B200", 2250, 1125, 75},
    // H200, H100, H100 PCIe, GH200: "H200 / H100 Tensor Core GPU" data sheets (2023 and 2024)
    {"GH200", 989.4, 494.7, 67},
    {"H200 NVL", 835.5, 417.7, 60},
    {"H200", 989.4, 494.7, 67},
    {"H100 NVL", 835.5, 417.7, 60},
    {"H100 PCIe", 756, 378, 51},
    {"H100", 989.4, 494.7, 67},
    {"H800", 989.4, 494.7, 67},
    // A100, A30, A40, A10: data sheets (2020 to 2021)
    {"A100", 312, 156, 19.5},
    {"A800", 312, 156, 19.5},
    {"A30", 165, 82, 10.3},
    {"A40", 149.7, 74.8, 37.4},
    {"A10", 125, 62.5, 31.2},
    // L40S, L40, L4: data sheets (2023)
    {"L40S", 362, 183, 91.6},
    {"L40", 181, 90.5, 90.5},
    {"L4", 121, 60, 30.3},
    // V100, T4: "V100" (2020) and "T4" (2019) data sheets: tensor cores for float16 alone
    {"V100-PCIE", 0, 0, 14},
    {"V100", 0, 0, 15.7},
    {"T4", 0, 0, 8.1},
};

/// "A10" is no part of "A100".
bool names(const std::string& gpu, const std::string& name) {
  for (auto at = gpu.find(name); at != std::string::npos; at = gpu.find(name, at + 1)) {
    const auto end = at + name.size();
    const bool begins = at == 0 || gpu[at - 1] == ' ',
               whole = end == gpu.size() || gpu[end] == ' ' || gpu[end] == '-';
    if (begins && whole) return true;
  }
  return false;
}

}  // namespace

std::optional<double> peak_speed(const std::string& gpu, const std::string& precision) {
  for (const auto& peak : kPeaks) {
    if (!names(gpu, peak.name)) continue;
    const double tera = precision == "bfloat16" ? peak.bfloat16
                        : precision == "tf32"   ? peak.tf32
                                                : peak.float32;
    return tera > 0 ? std::optional(tera * 1e12) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace facemae
