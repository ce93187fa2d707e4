#include "cluster/host/launch.h"

#include <charconv>
#include <cstdlib>

namespace facemae {

Launch detect_launch(const Environment& environment) {
  for (const char* name : {"PMIX_RANK", "OMPI_COMM_WORLD_RANK"})
    if (environment(name)) return {LaunchKind::Mpi, std::string(name) + " is set"};
  const std::string tasks = environment("SLURM_STEP_NUM_TASKS").value_or("1");
  int count = 1;
  std::from_chars(tasks.data(), tasks.data() + tasks.size(), count);
  if (count > 1)
    return {
        LaunchKind::Refused,
        "srun started " + tasks +
            " tasks without PMIx (PMIX_RANK is not set): they would be independent runs on the same folder. "
            "Use srun --mpi=pmix, or mpirun inside the allocation"};
  return {LaunchKind::Alone, "no launcher in the environment"};
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): read at start-up only
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

}  // namespace facemae
