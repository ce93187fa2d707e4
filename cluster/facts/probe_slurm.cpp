// What Slurm says of itself, of the job and of its partition, where there is one.
#include <algorithm>

#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::chrono::seconds kPatience{2};  ///< with each command

bool has_slurm(const Machine& machine) {
  if (machine.environment("SLURM_JOB_ID") || machine.environment("SLURM_CONF")) return true;
  for (const char* file :
       {"/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf", "/run/slurm/conf/slurm.conf"})
    if (std::filesystem::exists(machine.at(file))) return true;
  return false;
}

/// "KillWait                = 30 sec" by line.
std::map<std::string, std::string> settings_of(const std::string& text) {
  std::map<std::string, std::string> settings;
  for (const auto& line : split(text, '\n'))
    if (const auto at = line.find('='); at != std::string::npos)
      settings[trim(line.substr(0, at))] = trim(line.substr(at + 1));
  return settings;
}

/// "JobId=7 JobName=a Requeue=1" by word.
std::map<std::string, std::string> words_of(const std::string& text) {
  std::map<std::string, std::string> words;
  for (const auto& line : split(text, '\n'))
    for (const auto& word : split(line, ' '))
      if (const auto at = word.find('='); at != std::string::npos && at > 0)
        words.emplace(word.substr(0, at), word.substr(at + 1));
  return words;
}

void keep(std::map<std::string, std::string>& of, const std::vector<std::string>& names) {
  std::erase_if(of, [&](const auto& entry) {
    return std::find(names.begin(), names.end(), entry.first) == names.end();
  });
}

/// Names of plugins have a line each, or stand behind a colon, separated by commas.
std::vector<std::string> plugins_of(const std::string& text) {
  std::vector<std::string> plugins;
  for (const auto& line : split(text, '\n'))
    for (const auto& part : split(line.substr(line.rfind(':') + 1), ','))
      if (const auto name = trim(part); !name.empty() && name.find(' ') == std::string::npos)
        plugins.push_back(name);
  return plugins;
}

/// `#SBATCH --signal=B:USR2@300` asks for 300 seconds; 60 where no time is given.
int lead_of(const std::string& script) {
  const auto at = script.find("--signal");
  if (at == std::string::npos) return -1;
  const std::string line = script.substr(at, script.find('\n', at) - at);
  const auto sign = line.find('@');
  return static_cast<int>(sign == std::string::npos ? 60
                                                    : leading_number(line.substr(sign + 1)).value_or(-1));
}

}  // namespace

SlurmPlace probe_slurm(const Machine& machine) {
  SlurmPlace slurm;
  if (!has_slurm(machine)) return slurm;
  const auto says = [&](const std::vector<std::string>& words) {
    return machine.calls.run(words, kPatience).value_or("");
  };
  slurm.config = settings_of(says({"scontrol", "show", "config"}));
  slurm.version = slurm.config["SLURM_VERSION"];
  if (slurm.version.empty()) return {};  // its daemon does not answer: the others would wait as long
  keep(slurm.config, {"KillWait", "PreemptMode", "SlurmdTimeout", "JobRequeue", "MpiDefault", "MaxArraySize",
                      "PMIxCollFence", "KillOnBadExit"});
  slurm.plugins = plugins_of(says({"srun", "--mpi=list"}));
  const std::string job = machine.variable("SLURM_JOB_ID");
  if (job.empty()) return slurm;
  slurm.job = words_of(says({"scontrol", "-o", "show", "job", job}));
  keep(slurm.job, {"Requeue", "TimeLimit", "Partition", "Restarts"});
  const auto partition = slurm.job.find("Partition");
  if (partition != slurm.job.end())
    slurm.partition = words_of(says({"scontrol", "-o", "show", "partition", partition->second}));
  keep(slurm.partition, {"GraceTime", "PreemptMode", "MaxTime"});
  slurm.lead = lead_of(says({"scontrol", "write", "batch_script", job, "-"}));
  return slurm;
}

}  // namespace facemae
