// facemae doctor: would a run work here, and what is to be done if not?
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "app/command.h"
#include "app/train/doctor_subjects.h"
#include "cluster/doctor/examine.h"
#include "cluster/doctor/report.h"
#include "cluster/facts/attendance.h"
#include "cluster/facts/host_list.h"
#include "cluster/facts/own_network.h"
#include "cluster/facts/probes.h"
#include "cluster/host/call_limit.h"
#include "cluster/host/launch.h"
#include "cluster/mpi/mpi_session.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/signals.h"
#include "core/text.h"
#include "data/hdf5/hdf5.h"
#include "trainer/doctor/fabric.h"
#include "trainer/doctor/measure.h"
#include "trainer/files/version.h"

namespace facemae {
namespace {

/// Until all ranks have joined; and for MPI to carry a message. Together with the probes less than a minute.
constexpr std::chrono::seconds kJoin{38}, kMessage{40};
/// Seconds that are left to the rank that speaks: whoever ends first ends all.
constexpr unsigned kTurn = 5;

struct DoctorOptions {
  std::string run, store, local, explain;
  bool quick = false, all = false, bad_nodes = false, measure = false;
  double seconds = 60;
};

class Doctor {
 public:
  Doctor(App& app, DoctorOptions options) : app_(app), options_(std::move(options)) {
    const std::string token = start_token(machine_.environment);
    if (launch_.kind != LaunchKind::Mpi || token.empty()) return;
    attendance_.emplace(AttendancePlace{.folder = nearest_folder(options_.run.empty() ? "." : options_.run),
                                        .token = token,
                                        .rank = rank_,
                                        .host = machine_.host});
  }

  ExitCode run() {
    Facts facts;
    World* world = open(facts);
    describe(world, facts);
    if (world == nullptr) return alone(std::move(facts));
    try {
      const Gathered all = examine(world->control(), machine_, subjects(world->topology()),
                                   Patience::of(options_.quick), facts);
      const auto measured = measure(*world, all);
      if (!world->control().is_root()) return ExitCode::Done;
      const ExitCode code = tell(all, measured);
      if (all.absent.empty()) return code;
      return end(world, code);
    } catch (const PeerLost&) {
      const auto missing = absent(world->topology().size);
      if (!is_first(missing) || (attendance_ && attendance_->closed())) {
        ::sleep(kTurn);
        throw;
      }
      return end(world, tell({.ranks = {facts}, .absent = missing}));
    }
  }

 private:
  /// Null when the launch is refused, which the facts tell then.
  World* open(Facts& facts) {
    try {
      const CallLimit joining(kJoin, [this] { give_up(); });
      // What is measured goes by the networks that a training would take.
      const OwnNetworks told(options_.measure ? "" : own_networks(machine_));
      return &app_.world({.device = options_.measure ? "auto" : "cpu", .deadline = kMessage});
    } catch (const ConfigError& error) {
      facts.mpi.fault = error.what();
      return nullptr;
    }
  }

  Topology place_of(World* world) const {
    return world != nullptr ? world->topology() : Topology{.host = machine_.host};
  }

  /// What MPI, LibTorch and the program tell.
  void describe(World* world, Facts& facts) const {
    const Topology topology = place_of(world);
    facts.rank = topology.rank;
    facts.node = topology.node;
    facts.host = topology.host;
    facts.first = topology.local_rank == 0;
    facts.mpi.library = library_.version;
    facts.mpi.built_for = library_.built_for;
    facts.mpi.path = library_.path;
    facts.mpi.said = launch_.said.value_or(-1);
    facts.mpi.threads = mpi_thread_level();
    facts.mpi.size = topology.size;
    facts.software.program = "facemae " + program_version();
    facts.software.libtorch = "LibTorch " + libtorch_version();
    facts.software.hdf5 = "HDF5 " + hdf5::version();
  }

  /// Loads LibTorch's half for GPUs where there is a driver, which takes a while.
  void look_at_devices(const Topology& topology, Facts& facts) const {
    const DeviceReport device = app_.device_report(topology);
    facts.gpu.fault = device.fault;
    facts.gpu.own = device.bus;
    std::transform(facts.gpu.own.begin(), facts.gpu.own.end(), facts.gpu.own.begin(), ::tolower);
    facts.gpu.runtime = app_.cuda_version();
    facts.gpu.nccl = app_.nccl_version();
  }

  Subjects subjects(const Topology& topology) const {
    return {.run = options_.run,
            .store = options_.store,
            .local = options_.local,
            .quick = options_.quick,
            .look_at_devices = [this, topology](Facts& facts) { look_at_devices(topology, facts); },
            .look_at_store = [store = options_.store,
                              quick = options_.quick] { return look_at_store(store, quick); },
            .look_at_run = [run = options_.run] { return look_at_run(run); }};
  }

  /// Of the processes that could not become one world, the first judges by itself. The others are silent and end with 0:
  /// launchers end all processes once one ends otherwise, and the code of the first is what counts.
  ExitCode alone(Facts facts) {
    if (rank_ != 0) return ExitCode::Done;
    fill_facts(machine_, subjects(place_of(nullptr)), Patience::of(options_.quick), facts);
    return tell({.ranks = {facts}, .absent = {}});
  }

  /// All ranks, unless one is absent: what fails cannot be measured, and then only the findings are told.
  std::vector<Measured> measure(World& world, const Gathered& all) const {
    if (!options_.measure || !all.absent.empty()) return {};
    const bool works = !world.control().is_root() || verdict(judge(all)) == ExitCode::Done;
    if (!works) spdlog::warn("nothing is measured before what is wrong has been cured");
    if (!world.control().all_agree(works)) return {};
    install_notice_handlers(launch_.kind == LaunchKind::Alone);
    MeasureConfig config{.seconds = options_.seconds, .store = options_.store};
    if (!options_.run.empty()) config.run = nearest_folder(options_.run).string();
    if (world.control().is_root()) {
      config.fabric = fabric_rate(all);
      if (all.first().run.checkpoint > 0)
        config.state = static_cast<std::uint64_t>(all.first().run.checkpoint);
    }
    return measure_machine(world, config);
  }

  ExitCode tell(const Gathered& all, const std::vector<Measured>& measured = {}) {
    Diagnosis diagnosis{
        .findings = judge(all), .measured = measured, .nodes = all.nodes().size() + all.absent.size()};
    const ExitCode code = verdict(diagnosis.findings);
    if (options_.bad_nodes) {
      for (const auto& host : bad_nodes(diagnosis.findings)) std::fputs((host + "\n").c_str(), stdout);
    } else {
      std::fputs(report_text(diagnosis, options_.all).c_str(), stdout);
    }
    std::fflush(stdout);
    app_.result(report_json(diagnosis));
    return code;
  }

  /// Who is missing, as far as signs tell; hosts that left none are those of Slurm's list that nobody came from.
  std::vector<Absent> absent(int ranks) const {
    auto missing = attendance_ ? attendance_->absent(ranks) : std::vector<Absent>{};
    if (missing.empty()) return {{.rank = -1, .host = ""}};
    std::vector<std::string> unseen = expand_hosts(machine_.variable("SLURM_JOB_NODELIST"));
    for (const auto& host : attendance_->hosts()) std::erase(unseen, host.substr(0, host.find('.')));
    for (auto& one : missing)
      if (one.host.empty() && unseen.size() == 1) one.host = unseen.front();
    return missing;
  }

  /// Of those that are there, the lowest rank speaks.
  bool is_first(const std::vector<Absent>& missing) const {
    for (int rank = 0; rank < rank_; ++rank)
      if (std::none_of(missing.begin(), missing.end(), [&](const Absent& one) { return one.rank == rank; }))
        return false;
    return true;
  }

  /// Ranks do not join: MPI cannot be asked, nor ended.
  [[noreturn]] void give_up() {
    Facts facts;
    facts.host = machine_.host;
    probe_launch(machine_, facts.mpi);
    const auto missing = absent(std::max(launch_.said.value_or(1), rank_ + 1));
    if (!is_first(missing)) {
      ::sleep(kTurn);
      std::fprintf(stderr, "facemae: rank %d: not all ranks have joined\n", rank_);
    }
    const ExitCode code =
        is_first(missing) ? tell({.ranks = {facts}, .absent = missing}) : ExitCode::PeerLost;
    if (attendance_) attendance_->remove();
    _exit(static_cast<int>(code));
  }

  /// Somebody is absent, so that nothing can end in order.
  ExitCode end(World* world, ExitCode code) {
    if (attendance_) attendance_->remove();
    world->die(static_cast<int>(code));
    return code;
  }

  App& app_;
  DoctorOptions options_;
  Machine machine_ = this_machine();
  MpiLibrary library_ = mpi_library();
  Launch launch_ = detect_launch(machine_.environment, library_);
  int rank_ = launch_.rank;
  std::optional<Attendance> attendance_;
};

}  // namespace

ExitCode run_doctor(App& app, Words words) {
  DoctorOptions given;
  Options options("Looks whether a run would work here, and says what to do if not.", "doctor [OPTIONS]");
  options.group("What to look at")
      .add("run", given.run, "the folder of the run, which need not exist: file system, room, locks, clocks")
      .add("store", given.store, "the store, which every node must read")
      .add("local-dir", given.local, "folder on a disk of each node, for copies of the shards")
      .flag("quick", given.quick, "takes at most 5 seconds: fewer files are written and read")
      .flag("measure", given.measure,
            "measure also how fast network, cores, the store and the disk of --run are, if all else is well")
      .add("seconds", given.seconds, "how long measuring may take in all")
      .between(4, 300)
      .group("What to show")
      .flag("all", given.all, "show also what is well")
      .flag("bad-nodes", given.bad_nodes,
            "print the names of nodes that are at fault where others are fine, one a line, and nothing else")
      .add("explain", given.explain, "explain a check, for example fs.seen, and look at nothing");
  options.epilogue(
      "Start it like the training, with the same words in front of it, and it looks at all nodes; alone it looks at this one:\n"
      "  mpirun -n 2 --bind-to none facemae doctor --store faces --run runs/first\n"
      "  srun --mpi=pmix facemae doctor --store faces --run runs/first\n"
      "Nothing that it writes stays behind. docs/DOCTOR.md lists the checks.\n"
      "Exit codes: 0 a run would work, maybe with warnings; 2 it would not, and you can cure it; "
      "75 some nodes are at fault, others are fine.");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(given.explain.empty() || !given.bad_nodes,
                "--explain looks at no nodes: leave --bad-nodes out");
  options.check(!given.measure || !given.bad_nodes, "--bad-nodes measures nothing: leave --measure out");
  options.check(given.measure || !options.given("seconds"), "--seconds is for --measure");
  if (!options.finish()) return ExitCode::Done;
  if (!given.explain.empty()) {
    std::fputs(explained(check_of(given.explain)).c_str(), stdout);
    return ExitCode::Done;
  }
  return Doctor(app, given).run();
}

}  // namespace facemae
