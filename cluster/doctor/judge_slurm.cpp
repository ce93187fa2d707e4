// What Slurm will do with the job.
#include <algorithm>
#include <array>

#include "cluster/doctor/checks.h"
#include "cluster/facts/reading.h"
#include "cluster/host/mpi_vendor.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr const char* kUsualSite = "openmpi-srun";  ///< as slurm/lib/site.sh has it

std::string setting(const std::map<std::string, std::string>& of, const std::string& name) {
  const auto found = of.find(name);
  return found == of.end() ? "" : found->second;
}

/// "1-02:03:04", "02:03:04", "03:04" or "UNLIMITED", in seconds; -1 for none.
double seconds_of(const std::string& text) {
  const auto hyphen = text.find('-');
  const std::string clock = hyphen == std::string::npos ? text : text.substr(hyphen + 1);
  double seconds = 0;
  for (const auto& part : split(clock, ':')) {
    const auto number = leading_number(part);
    if (!number) return -1;
    seconds = seconds * 60 + static_cast<double>(*number);
  }
  const auto days = hyphen == std::string::npos ? 0 : leading_number(text).value_or(0);
  return static_cast<double>(days) * 86400 + seconds;
}

void judge_config(const Gathered& all, Lines& lines) {
  const auto& slurm = all.first().slurm;
  if (slurm.version.empty()) return;
  const double save = all.first().run.save;
  const auto wait = leading_number(setting(slurm.config, "KillWait"));
  if (wait && save > static_cast<double>(*wait)) {
    auto& line = lines.warn(
        {}, fmt::format("KillWait is {} s, a save takes {:.0f} s: what is not saved before the limit is lost",
                        *wait, save));
    line.found = std::to_string(*wait);
    line.wanted = fmt::format("{:.0f}", save);
  }
  std::string mode = setting(slurm.partition, "PreemptMode");
  if (mode.empty()) mode = setting(slurm.config, "PreemptMode");
  const std::string grace = setting(slurm.partition, "GraceTime");
  if (mode.find("CANCEL") != std::string::npos && (grace.empty() || grace == "0"))
    lines.warn(
        {}, "a preempted job is cancelled without time to save (PreemptMode=CANCEL, GraceTime=0)",
        "submit with --requeue and slurm/supervise.sh, which requeues from its last moment; save often: --save-minutes");
  lines.ok(fmt::format("Slurm {}, KillWait {}, PreemptMode {}", slurm.version,
                       setting(slurm.config, "KillWait"), mode));
}

void judge_job(const Gathered& all, Lines& lines) {
  const auto& slurm = all.first().slurm;
  if (slurm.job.empty()) return;
  if (setting(slurm.job, "Requeue") == "0")
    lines.warn({}, "the job is not to be requeued: it ends at its first notice");
  const double limit = seconds_of(setting(slurm.job, "TimeLimit")), save = all.first().run.save;
  if (slurm.lead > 0 && save > 0 && slurm.lead < 1.5 * save + 60) {
    auto& line = lines.warn(
        {}, fmt::format("notice comes {} s before the end, a save takes {:.0f} s", slurm.lead, save),
        fmt::format("#SBATCH --signal=B:USR2@{:.0f}", 1.5 * save + 120));
    line.found = std::to_string(slurm.lead);
    line.wanted = fmt::format("{:.0f}", 1.5 * save + 60);
  }
  if (limit > 0 && slurm.lead > 0 && slurm.lead >= limit)
    lines.warn({}, fmt::format("notice comes {} s before the end of a job of {:.0f} s", slurm.lead, limit),
               "#SBATCH --time longer than the notice of --signal");
  lines.ok("the job is requeued, and told in time");
}

/// The one of slurm/sites/ that starts ranks of this library here.
std::string site_file(const MpiPlace& mpi, const std::vector<std::string>& plugins,
                      const std::string& container) {
  const auto has = [&](const char* plugin) {
    return std::any_of(plugins.begin(), plugins.end(),
                       [&](const std::string& name) { return name.starts_with(plugin); });
  };
  switch (vendor_of(mpi.library)) {
    case MpiVendor::Unknown:
      return "";
    case MpiVendor::Cray:
      return has("cray_shasta") ? "cray" : "mpich-srun";
    case MpiVendor::OpenMpi:
      if (container == "Apptainer" || container == "Singularity") return "apptainer";
      if (container == "enroot") return "pyxis";
      return has("pmix") ? kUsualSite : "openmpi-mpirun";
    default:
      return has("pmi2") ? "mpich-srun" : "mpich-mpiexec";
  }
}

void judge_site(const Gathered& all, Lines& lines) {
  const Facts& first = all.first();
  const std::string site = site_file(first.mpi, first.slurm.plugins, first.software.container);
  if (first.slurm.plugins.empty() || site.empty()) return;
  if (all.ranks.size() > 1) return lines.ok("the ranks are started already");
  if (site == kUsualSite) return lines.ok("batch jobs start the ranks by " + site);
  lines.advise(fmt::format("batch jobs start ranks of {} here by the site file {}",
                           name_of(vendor_of(first.mpi.library)), site),
               "export FACEMAE_SITE=" + site + " before sbatch (slurm/README.md)");
}

constexpr std::array kSlurmChecks = {
    Check{"slurm.site", "the MPI library, srun --mpi=list and the kind of container, of a process alone",
          "openmpi-srun, which is taken where none is named; else a note with the one to name", "", "", "",
          false, false, judge_site},
    Check{"slurm.config", "scontrol show config and show partition", "nothing in the way",
          "KillWait shorter than a save; PreemptMode=CANCEL without GraceTime", "",
          "let notice come earlier: #SBATCH --signal=B:USR2@SECONDS", false, false, judge_config},
    Check{"slurm.job", "scontrol show job and write batch_script", "requeued, with time for a save",
          "Requeue=0; notice too late for 1.5 saves + 60 s, or before the job begins", "",
          "#SBATCH --requeue", false, false, judge_job},
};

}  // namespace

std::span<const Check> slurm_checks() { return kSlurmChecks; }

}  // namespace facemae
