#include "app/import_arcface.h"

#include <algorithm>
#include <cmath>

#include "app/train/train_command.h"
#include "core/log.h"
#include "trainer/run/make_task.h"
#include "trainer/takeover/arcface_run.h"

namespace facemae {
namespace {

constexpr std::string_view kArcfaceOption = "--arcface-torch";

/// Values that the run's files know: taken where nothing was given, else compared with what was.
class Known {
 public:
  Known(Options& options, bool changes_allowed) : options_(options), changes_allowed_(changes_allowed) {}

  template <class T, class Found>
  void take(const std::string& name, T& value, const std::optional<Found>& found) {
    if (!found) return;
    if (!options_.given(name)) {
      value = static_cast<Found>(*found);
      return;
    }
    const double given = number(value), known = static_cast<double>(*found);
    const bool same = std::abs(given - known) <= 1e-9 * std::max(std::abs(given), std::abs(known));
    options_.check(same || changes_allowed_,
                   fmt::format("--{} {} is not what the run has, {}: leave it out, or add --allow-changes",
                               name, given, known));
  }

 private:
  template <class T>
  static double number(const std::optional<T>& value) {
    return static_cast<double>(value.value_or(0));
  }
  template <class T>
  static double number(const T& value) {
    return static_cast<double>(value);
  }
  Options& options_;
  bool changes_allowed_;
};

void take_settings(Options& options, RunConfig& run, std::optional<std::uint64_t>& steps_done,
                   const ArcfaceSettings& found) {
  Known known(options, run.allow_changes);
  if (!options.given("base-lr")) known.take("lr", run.lr, found.lr);
  if (!options.given("epochs")) known.take("steps", run.steps, found.total_steps);
  if (!options.given("warmup") && !options.given("warmup-epochs"))
    known.take("warmup-steps", run.warmup_steps, found.warmup_steps);
  if (run.schedule == "polynomial") known.take("power", run.power, found.power);
  known.take("weight-decay", run.optimizer.weight_decay, found.weight_decay);
  if (!options.given("optimizer") && !found.optimizer.empty()) run.optimizer.kind = found.optimizer;
  options.check(found.optimizer.empty() || run.optimizer.kind == found.optimizer,
                fmt::format("--optimizer {}: the run was trained with {}, whose moments are in its files",
                            run.optimizer.kind, found.optimizer));
  known.take("momentum", run.optimizer.momentum, found.momentum);
  known.take("beta1", run.optimizer.beta1, found.beta1);
  known.take("beta2", run.optimizer.beta2, found.beta2);
  known.take("steps-done", steps_done, found.step);
  options.check(steps_done.has_value(),
                "--steps-done is missing: the files do not say how many steps the run has done");
}

}  // namespace

bool asks_for_arcface(Words words) {
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return word.starts_with(kArcfaceOption); });
}

ExitCode run_import_arcface(App& app, Words words) {
  RecognizeConfig config = recognition_defaults();
  config.margin_gradient = "straight-through";
  config.class_update = "dense";
  std::string folder;
  std::optional<std::uint64_t> steps_done;
  Options options(
      "Makes a run of insightface's arcface_torch, of any number of GPUs, one of `facemae recognize`, which goes on with it on "
      "any number of ranks: weights, class centres, momenta and the position in the schedule. What its files know of the "
      "training is taken from them; all else is given as to `facemae recognize`.",
      "import --arcface-torch DIR --store STORE --run RUN --network NAME --batch GLOBAL [OPTIONS]");
  options.group("Run of arcface_torch")
      .require("arcface-torch", folder,
               "folder of the run: checkpoint_gpu_R.pt of all its ranks, or model.pt (backbone.pth) with "
               "rank_R_softmax_weight.pt and rank_R_softmax_weight_mom.pt")
      .add("steps-done", steps_done, "optimizer steps that it has done, where its files do not say")
      .at_least(1);
  declare(options, config);
  options.epilogue(
      "--margin-gradient and --class-update are those of arcface_torch unless given. Then go on:  mpirun -n 4 facemae recognize "
      "--config RUN/config.txt");
  Options recorded("", "");  // what the run says of itself: the options of `recognize` alone
  CommonOptions unused;
  declare(recorded, config);
  recorded.parse({}, unused);
  if (!options.parse(words, app.common)) return ExitCode::Done;
  std::optional<ArcfaceRun> run;
  if (!folder.empty()) {
    run.emplace(folder);
    take_settings(options, config.common, steps_done, run->settings());
  }
  validate(options, config);
  options.check(!config.common.dry_run, "--dry-run is of `facemae recognize`");
  if (!options.finish()) return ExitCode::Done;
  World& world = world_of(app, config.common);
  settle_precision(config.common, world);
  choose_for_new_run(config, world);
  const auto text = [&](const OrderConfig& chosen) {
    config.common.order = chosen;
    return recorded.text();
  };
  const auto make = [&](const Store& store, World& opened, const std::string& init) {
    return make_recognition(config, store, opened, init);
  };
  const Outcome outcome = take_over_run(world, run_config_of(config), text, make, *steps_done,
                                        [&](Snapshot& into) { run->fill(into, *steps_done); });
  if (world.control().is_root())
    spdlog::info(
        "{}: step {} of a run of {} GPU(s) with {} classes; go on with `facemae recognize --config {}/config.txt`",
        config.common.run, outcome.step, run->ranks(), run->classes(), config.common.run);
  app.result({{"run", config.common.run},
              {"step", outcome.step},
              {"classes", run->classes()},
              {"gpus", run->ranks()},
              {"batch_norm_of_rank", 0}});
  return ExitCode::Done;
}

}  // namespace facemae
