#include "cluster/doctor/examine.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "cluster/facts/meeting.h"
#include "cluster/facts/probes.h"
#include "cluster/host/gather.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr int kRounds = 20, kFewRounds = 5;  ///< small durable files

std::string silence(std::chrono::milliseconds limit) {
  return "it does not answer within " + human_seconds(std::chrono::duration<double>(limit).count());
}

/// What is where a folder or one above it should be, "" when nothing is.
Path file_in_the_way(const Path& path) {
  std::error_code unseen;
  for (Path at = std::filesystem::absolute(path, unseen); at.has_relative_path(); at = at.parent_path())
    if (std::filesystem::exists(at, unseen)) return std::filesystem::is_directory(at, unseen) ? Path() : at;
  return {};
}

/// A folder, looked at by a thread that may be left behind.
FolderPlace look_at_folder(const Machine& machine, const std::string& role, const std::string& path,
                           int rounds, std::chrono::milliseconds limit) {
  FolderPlace folder;
  folder.role = role;
  folder.path = path;
  const bool written = role == "run" || role == "local";
  const auto looked = within<FolderPlace>(limit, [machine, folder, path, rounds, written] {
    FolderPlace found = folder;
    probe_mount(machine, found);
    if (const Path file = file_in_the_way(path); !file.empty())
      found.fault = file.string() + " is not a folder";
    if (written && found.fault.empty()) probe_writing(real_files(), found, rounds);
    return found;
  });
  if (looked) return *looked;
  folder.fault = silence(limit);
  return folder;
}

/// Adds ranks that did not answer, with their hosts as far as these are known. True when there are any.
bool note_absent(const std::vector<std::optional<std::string>>& answers,
                 const std::vector<std::string>& hosts, Gathered& all) {
  for (std::size_t rank = 0; rank < answers.size(); ++rank)
    if (!answers[rank])
      all.absent.push_back({static_cast<int>(rank), rank < hosts.size() ? hosts[rank] : ""});
  return !all.absent.empty();
}

std::string random_token() {
  std::random_device source;  // not part of any result
  return fmt::format("{:08x}{:08x}", source(), source());
}

MeetingPlan plan_of(const Gathered& all) {
  MeetingPlan plan{.folder = "", .token = random_token(), .neighbours = {}};
  for (const auto& folder : all.first().folders)
    if (folder.role == "run" && folder.fault.empty()) plan.folder = folder.looked_at;
  for (const auto& ranks : all.nodes()) {
    Neighbour neighbour{.host = ranks.front()->host, .addresses = {}};
    for (const auto& interface : ranks.front()->network.interfaces)
      if (interface.kind != "loopback")
        neighbour.addresses.insert(neighbour.addresses.end(), interface.addresses.begin(),
                                   interface.addresses.end());
    plan.neighbours.push_back(std::move(neighbour));
  }
  return plan;
}

}  // namespace

Patience Patience::of(bool quick) {
  using std::chrono::seconds;
  if (quick) return {.probe = seconds(3), .seen = seconds(4), .answer = seconds(15)};
  return {};
}

void fill_facts(const Machine& machine, const Subjects& subjects, const Patience& patience, Facts& facts) {
  facts.host = machine.host;
  if (subjects.look_at_devices) subjects.look_at_devices(facts);
  probe_launch(machine, facts.mpi);
  facts.cpu = probe_cpu(machine);
  facts.memory = probe_memory(machine);
  facts.limits = probe_limits(machine);
  probe_gpu(machine, facts.gpu);
  facts.network = probe_network(machine);
  probe_software(machine, facts.software);
  if (facts.rank == 0) facts.slurm = probe_slurm(machine);
  if (!facts.first) return;
  // One deadline for all: a file system that does not answer keeps each probe waiting.
  const auto until = std::chrono::steady_clock::now() + patience.probe;
  const auto left = [&] {
    constexpr std::chrono::milliseconds kLeast(200);
    return std::max(kLeast, std::chrono::duration_cast<std::chrono::milliseconds>(
                                until - std::chrono::steady_clock::now()));
  };
  if (facts.rank == 0 && !subjects.run.empty())
    facts.run = within<RunPlace>(left(), subjects.look_at_run).value_or(RunPlace{});
  const int rounds = subjects.quick ? kFewRounds : kRounds;
  for (const auto& [role, path] : {std::pair{"run", subjects.run}, std::pair{"store", subjects.store},
                                   std::pair{"local", subjects.local}})
    if (!path.empty()) facts.folders.push_back(look_at_folder(machine, role, path, rounds, left()));
  if (subjects.store.empty()) return;
  const auto store = within<StorePlace>(left(), subjects.look_at_store);
  if (store) facts.store = *store;
  if (!store) facts.store.fault = subjects.store + ": " + silence(patience.probe);
}

Gathered examine(Control& control, const Machine& machine, const Subjects& subjects, const Patience& patience,
                 Facts facts) {
  Gathered all;
  std::vector<std::string> hosts;
  const auto answered = control.roll_call(machine.host, patience.answer);
  if (note_absent(answered, {}, all)) {
    all.ranks.push_back(std::move(facts));
    return all;
  }
  hosts.reserve(answered.size());
  for (const auto& host : answered) hosts.push_back(*host);

  fill_facts(machine, subjects, patience, facts);
  failpoint("doctor.facts");
  const auto gather_facts = [&](const Facts& mine, std::chrono::milliseconds limit) {
    const auto answers = control.roll_call(packed(mine), limit);
    all.ranks.clear();
    note_absent(answers, hosts, all);
    for (const auto& answer : answers)
      if (answer) all.ranks.push_back(unpacked<Facts>(*answer));
  };
  gather_facts(facts, patience.probe + patience.answer);
  if (control.size() == 1 || !all.absent.empty()) return all;

  // Now that each node knows the others: what they see of each other.
  const auto plan = broadcast(control, control.is_root() ? plan_of(all) : MeetingPlan{});
  if (plan.neighbours.size() == 1) return all;
  Meeting meeting(facts.first ? plan : MeetingPlan{}, facts.node);
  if (facts.first) meeting.write();
  if (note_absent(control.roll_call("written", patience.answer), hosts, all)) {
    meeting.abandon();
    return all;
  }
  control.broadcast("look");
  if (facts.first) {
    auto others = plan.neighbours;
    const Neighbour next = others[static_cast<std::size_t>(facts.node + 1) % others.size()];
    others.erase(others.begin() + facts.node);
    facts.network.ways = probe_ways(machine, facts.network, others);
    facts.network.silent = probe_silent(machine, facts.network, next);
    for (auto& folder : facts.folders)
      if (folder.role == "run" && folder.fault.empty()) meeting.look(folder, patience.seen);
  }
  gather_facts(facts, patience.seen + patience.answer);
  if (all.absent.empty()) {
    control.broadcast("done");  // until then everybody's files stay
  } else {
    meeting.abandon();
  }
  return all;
}

}  // namespace facemae
