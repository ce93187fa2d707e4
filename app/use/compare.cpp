// facemae compare: one experiment over many arms, from training to a page of utility against leakage.
#include <cstdlib>
#include <optional>
#include <thread>

#include "app/command.h"
#include "cluster/host/agree.h"
#include "cluster/world/world.h"
#include "core/files/folder_lock.h"
#include "core/log.h"
#include "core/signals.h"
#include "core/text.h"
#include "trainer/study/prepare.h"
#include "trainer/study/runner.h"
#include "trainer/study/study_report.h"

namespace facemae {
namespace {

struct CompareOptions {
  StudyConfig study;
  std::string out, task, launcher, device = "auto";
  bool retry = false, dry_run = false, report_only = false;
};

/// Words that may be parted by commas.
void split_at_commas(std::vector<std::string>& words) {
  std::vector<std::string> parts;
  for (const auto& word : words)
    for (auto& part : split(word, ','))
      if (!part.empty()) parts.push_back(std::move(part));
  words = std::move(parts);
}

/// Where one of several processes begins to look for work, from 0 to 1: "I/N" with I from 0, "auto" for a task of
/// Slurm's array. Only a hint: locks decide.
double place_of_task(const std::string& task) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read at start-up only
    return value == nullptr ? std::string() : std::string(value);
  };
  const auto number = [&](const std::string& text) {
    if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
      throw ConfigError("--task " + task +
                        " is neither I/N with I below N, nor auto inside an array job of Slurm");
    return std::stod(text);
  };
  if (task.empty()) return 0;
  if (task == "auto") {
    const double first = number(variable("SLURM_ARRAY_TASK_MIN")),
                 last = number(variable("SLURM_ARRAY_TASK_MAX"));
    return (number(variable("SLURM_ARRAY_TASK_ID")) - first) / (last - first + 1);
  }
  const auto slash = task.find('/');
  const double place = number(task.substr(0, slash));
  const double all = slash == std::string::npos ? number("") : number(task.substr(slash + 1));
  if (place >= all) number("");
  return place / all;
}

std::string text_of(const Path& program) {
  std::error_code failed;
  const Path target = std::filesystem::read_symlink(program, failed);
  return failed ? program.string() : target.string();
}

/// Ranks of a host divide it, unless commands have a launcher, which divides what it may use itself.
HostShare share_of(App& app, const CompareOptions& options, const Topology& topology) {
  HostShare share;
  if (topology.local_size == 1) return share;
  share.cores = topology.core_mask;
  if (!options.launcher.empty() || options.device == "cpu") return share;
  constexpr const char* kVisible = "CUDA_VISIBLE_DEVICES";
  const char* visible = std::getenv(kVisible);  // NOLINT(concurrency-mt-unsafe): read at start-up only
  const std::string gpu = gpu_of_rank(visible == nullptr ? std::nullopt : std::optional<std::string>(visible),
                                      app.gpu_count(), topology.local_rank);
  if (!gpu.empty()) share.environment = {std::string(kVisible) + "=" + gpu};
  return share;
}

RunnerConfig runner_of(const CompareOptions& options, const Topology& topology, HostShare share) {
  RunnerConfig runner{.out = options.out, .program = "/proc/self/exe"};
  for (const auto& word : split(options.launcher, ' '))
    if (!word.empty()) runner.launcher.push_back(word);
  if (!runner.launcher.empty())
    runner.program = text_of(runner.program);  // it is another process that starts it
  if (options.device != "auto") runner.device = {"--device", options.device};
  runner.first =
      topology.size > 1 ? static_cast<double>(topology.rank) / topology.size : place_of_task(options.task);
  runner.show = topology.rank == 0;
  runner.wait = topology.size > 1;  // ranks end together
  runner.share = std::move(share);
  return runner;
}

void declare(Options& options, CompareOptions& o) {
  StudyConfig& study = o.study;
  for (const auto& arm : study_arms())
    if (!arm.by_name) study.arms.emplace_back(arm.name);
  options.group("Study")
      .require("out", o.out, "folder of the study; the same command goes on with it")
      .add("train", study.train, "store of the people that FaceMAE learns from")
      .add("unseen", study.unseen, "store of other people, who are released in every way")
      .add("held-out", study.held_out, "store of yet other people, on whom recognition is tested")
      .add("pairs", study.pairs, "pairs of --held-out (`facemae pairs`)")
      .add("bin", study.bins, "InsightFace verification packs, instead of --held-out and --pairs")
      .add("arms", study.arms, "arms, named below; commas may part them")
      .add("arm", study.outside, "NAME=STORE: one more arm, a set of other faces")
      .choice("budget", study.budget, study_budgets(),
              "lengths of all trainings, sizes of networks, and seeds")
      .add("seeds", study.seeds,
           "number of seeds, each for a FaceMAE and its recognisers; 0: as the budget says")
      .between(0, 1000)
      .add("seed", study.seed, "the first seed")
      .at_most(1e15)
      .add("attacks", study.attacks,
           "attacks of every audit, as in `facemae audit --attacks`; as the budget says unless given")
      .add("images-per-identity", study.images_per_identity,
           "images of each released person; 0: what gives most pictures in equal numbers")
      .at_most(1e9)
      .add("blend-images", study.blend_images, "photos in a blended picture, in all")
      .between(1, 100000);
  options.group("Commands of the study")
      .add("pretrain", study.pretrain,
           "options of `facemae pretrain` in place of the budget's: steps=500 batch=64")
      .add("recognize", study.recognize,
           "options of `facemae recognize` in place of the budget's: network=iresnet50")
      .add("audit", study.audit, "further options of `facemae audit`: max-probes=500");
  options.group("Machine")
      .add(
          "task", o.task,
          "I/N: this is the I-th of N processes (from 0) that share the work in --out; auto: a task of Slurm's array. Those on one machine need cores of their own, as by taskset")
      .add("launcher", o.launcher,
           "words that start a command on several ranks, as \"mpirun -n 4 --bind-to none\"")
      .choice("device", o.device, {"auto", "cpu", "cuda", "mixed"}, "device of all commands")
      .flag("retry", o.retry, "try again what failed in an earlier start")
      .flag("dry-run", o.dry_run, "write the protocol, print its commands, and stop")
      .flag("report-only", o.report_only, "make the page anew from what --out holds; needs no other option");
  std::string arms = "Arms:\n";
  for (const auto& arm : study_arms()) arms += fmt::format("  {:<14}{}\n", arm.name, arm.help);
  options.epilogue(
      arms +
      "\nEach arm is a way to release the unseen people. For each, the same recogniser is trained with the same budget and number of "
      "pictures, tested on held-out people, and the release is audited.\n"
      "Several starts at once share the work: mpirun -n 4 --bind-to none facemae compare ... (ranks divide the cores and GPUs of their node), or an array job (slurm/README.md). What was killed goes on.\n"
      "OUT/study.html is the page, OUT/protocol.json what was fixed before the first command. OUT/arms has private folders and may show faces: never publish it.");
}

void check(Options& options, const CompareOptions& o) {
  if (o.report_only) return;
  for (const auto& [name, value] : {std::pair("train", &o.study.train), {"unseen", &o.study.unseen}})
    options.check(!value->empty(), std::string("--") + name + " is missing");
  options.check(o.study.bins.empty() != (o.study.held_out.empty() && o.study.pairs.empty()),
                "give --held-out STORE with --pairs FILE, or --bin FILE");
  options.check(o.study.held_out.empty() == o.study.pairs.empty(), "--held-out and --pairs need each other");
  options.check(!o.study.arms.empty() || !o.study.outside.empty(), "--arms names none");
}

/// Several starts begin at once, and one of them writes the protocol. Null on notice.
std::unique_ptr<FolderLock> lock_when_free(const Path& out, std::chrono::milliseconds pause) {
  bool told = false;
  while (notice_received() == 0) {
    auto lock = FolderLock::if_free(out, {.thing = "--out", .work = "facemae compare", .otherwise = "wait"});
    if (lock) return lock;
    if (!told) spdlog::info("another start is preparing the study in {}: waiting for it", out.string());
    told = true;
    std::this_thread::sleep_for(pause);
  }
  return nullptr;
}

/// 0 when all has ended well; a code with which nobody tries again where something has failed.
ExitCode code_of(const StudyResult& result) {
  for (const auto& arm : result.arms)
    if (!arm.failure.empty()) return ExitCode::DoNotRequeue;
  return ExitCode::Done;
}

ExitCode report_study(App& app, const CompareOptions& o) {
  const StudyResult result = write_study(real_files(), o.out);
  fmt::print("{}", study_text(result));
  spdlog::info("report: {}", (Path(o.out) / "study.html").string());
  app.result(study_json(result));
  return code_of(result);
}

}  // namespace

ExitCode run_compare(App& app, Words words) {
  CompareOptions o;
  Options options(
      "Compares ways to release faces in one experiment: how useful recognition gets by each, against how surely its worst attacker names a person. "
      "The protocol is written before anything runs. "
      "Works on any number of processes, and goes on where it was stopped.",
      "compare --train STORE --unseen STORE --held-out STORE --pairs FILE --out DIR [OPTIONS]");
  declare(options, o);
  if (!options.parse(words, app.common)) return ExitCode::Done;
  split_at_commas(o.study.arms);
  check(options, o);
  if (!options.finish()) return ExitCode::Done;
  if (o.report_only) {
    app.alone("compare --report-only");
    return report_study(app, o);
  }
  install_notice_handlers(launched_alone());
  World& world = app.world({.device = "cpu"});
  Control& control = world.control();
  o.out = std::filesystem::absolute(o.out).lexically_normal().string();
  const RunnerConfig runner = runner_of(o, world.topology(), share_of(app, o, world.topology()));
  together(control, [&] {
    if (!control.is_root()) return;
    make_folders(real_files(), o.out);
    const auto lock = lock_when_free(o.out, runner.pause);
    if (!lock) return;
    const StudyProtocol protocol = prepare_study(real_files(), o.out, o.study,
                                                 [&](const StudyUnit& unit) { try_command(unit, runner); });
    if (o.retry) {
      const auto failures = forget_failures(real_files(), o.out, protocol.plan.units);
      spdlog::info("{} failed command(s) are tried again", failures);
    }
  });
  if (control.any_of(notice_received() != 0 ? 1 : 0) != 0) return ExitCode::Stopped;
  if (o.dry_run) {
    if (control.is_root()) fmt::print("{}", read_plain_file(Path(o.out) / "commands.txt"));
    return ExitCode::Done;
  }
  StudyEnd end = StudyEnd::Finished;
  together(control, [&] {
    const StudyProtocol protocol = read_protocol(o.out);
    end = run_units(real_files(), protocol.plan.units, runner);
  });
  if (control.any_of(end == StudyEnd::Stopped ? 1 : 0) != 0) {
    if (control.is_root()) spdlog::warn("stopped; the same command goes on with the study");
    return ExitCode::Stopped;
  }
  if (!control.is_root()) return ExitCode::Done;
  if (end == StudyEnd::LeftToOthers && world.topology().size == 1)
    spdlog::info("what is left runs in other processes; the last one to end completes the page");
  return report_study(app, o);
}

}  // namespace facemae
