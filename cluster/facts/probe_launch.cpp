// What the launcher left in the environment, and the namespaces that decide whether ranks of a node share memory.
#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"

namespace facemae {
namespace {

std::string namespace_of(const Machine& machine, const std::string& kind) {
  std::error_code unseen;
  const auto link = std::filesystem::read_symlink(machine.at("/proc/self/ns") / kind, unseen);
  return unseen ? "" : link.string();
}

bool is_set(const std::string& value) { return value == "1" || value == "true" || value == "yes"; }

/// "-1" asks Open MPI to decide.
bool yields(const Machine& machine) {
  for (const char* name : {"OMPI_MCA_mpi_yield_when_idle", "OMPI_MCA_mpi_oversubscribe",
                           "PRTE_MCA_mpi_yield_when_idle", "MPIR_CVAR_CH4_PROGRESS_THROTTLE"})
    if (is_set(machine.variable(name))) return true;
  const std::string way = machine.variable("I_MPI_THREAD_YIELD");
  return way == "2" || way == "3";  // sched_yield or sleep; 0 and 1 keep the core
}

}  // namespace

void probe_launch(const Machine& machine, MpiPlace& mpi) {
  // mpirun's own daemons are started by srun: what Open MPI's launcher sets comes first.
  const bool by_mpirun =
      machine.environment("OMPI_MCA_orte_launch") || machine.environment("PRTE_LAUNCHED") ||
      machine.environment("OMPI_MCA_ess_base_jobid") || machine.environment("HYDI_CONTROL_FD");
  const bool in_step = machine.environment("SLURM_STEP_ID") && machine.environment("SLURM_PROCID");
  mpi.launcher = by_mpirun ? "mpirun" : in_step ? "srun" : "";
  mpi.pmix = machine.variable("PMIX_VERSION");
  mpi.security = machine.variable("PMIX_SECURITY_MODE");
  for (const char* socket : {"/run/munge/munge.socket.2", "/var/run/munge/munge.socket.2"})
    mpi.munge = mpi.munge || std::filesystem::exists(machine.at(socket));
  mpi.yields = yields(machine);
  mpi.user_ns = namespace_of(machine, "user");
  mpi.ipc_ns = namespace_of(machine, "ipc");
  mpi.pid_ns = namespace_of(machine, "pid");
}

}  // namespace facemae
