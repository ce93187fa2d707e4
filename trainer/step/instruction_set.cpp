#include "trainer/step/instruction_set.h"

#include <ATen/Version.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "cluster/host/agree.h"
#include "core/log.h"

namespace facemae {
namespace {

struct Processor {
  bool avx2 = false, intel = false;
};

Processor processor() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return {.avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0,
          .intel = __builtin_cpu_is("intel") != 0};
#else
  return {};
#endif
}

std::string fix(const char* name, const std::string& value) {
  if (setenv(name, value.c_str(), /*overwrite=*/1) != 0)
    throw std::system_error(errno, std::generic_category(), std::string("setting ") + name);
  return std::string(name) + "=" + value;
}

}  // namespace

std::string fix_instruction_set() {
  const auto [avx2, intel] = processor();
  // MKL keeps to a level on Intel's processors only; elsewhere it promises equal results for the least.
  return fix("ATEN_CPU_CAPABILITY", avx2 ? "avx2" : "default") + " " +
         fix("MKL_CBWR", avx2 && intel ? "AVX2,STRICT" : "COMPATIBLE") + " " +
         fix("ONEDNN_MAX_CPU_ISA", avx2 ? "AVX2" : "SSE41");
}

void agree_on_kernels(Control& control) {
  const std::string kernels = fix_instruction_set() + ", LibTorch " + at::get_cpu_capability();
  if (!control.same_everywhere(kernels))
    throw AgreedError(
        "--exact: the ranks' processors allow different kernels, whose sums differ in the last bits. "
        "Use hosts of one kind",
        ExitCode::BadConfiguration, "ConfigError");
  if (control.is_root()) spdlog::info("exact: one thread per rank, {}", kernels);
}

}  // namespace facemae
