#include "app/command.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdio>

#include "cluster/world/device.h"
#include "core/files/files.h"
#include "core/log.h"
#include "core/options/help_text.h"
#include "core/text.h"

namespace facemae {

namespace {

/// Folders that are missing are made when it is written; all else is told before the work.
void expect_place_for_json(const Path& path) {
  const Path folder = path.parent_path();
  Path there = folder;
  while (!there.empty() && !std::filesystem::exists(there)) there = there.parent_path();
  if (there == folder) return expect_place_for("json", path);
  if (!there.empty() && !std::filesystem::is_directory(there))
    throw ConfigError("--json " + path.string() + ": " + there.string() + " is not a folder");
}

}  // namespace

World& App::world(const WorldConfig& config) {
  if (!world_) {
    refused_ = true;
    world_ = open_world(back_ends_, config, gpus_);
    refused_ = false;
    start_logging(common.log_level, world_->topology().rank, world_->topology().size);
    torch::set_num_threads(world_->topology().cores);
    if (world_->topology().rank == 0 && !common.json.empty()) expect_place_for_json(common.json);
  }
  return *world_;
}

World& App::alone(const std::string& command) {
  World& opened = world({.device = "cpu"});
  if (opened.topology().size > 1)
    throw ConfigError("`facemae " + command + "` works on one rank: start it without mpirun or srun");
  return opened;
}

DeviceReport App::device_report(const Topology& topology) const {
  return find_device({.device = "auto"}, back_ends_, gpus_, topology, gpus_.load()).report;
}

int App::gpu_count() const {
  gpus_.load();
  return gpus_.count();
}

int App::cuda_version() const {
  for (const auto& back_end : back_ends_)
    if (back_end.look) return back_end.look(std::nullopt).runtime;
  return 0;
}

std::string App::nccl_version() const {
  for (const auto& back_end : back_ends_)
    if (back_end.built && back_end.carrier.name == "nccl") return back_end.version();
  return "";
}

void App::result(const nlohmann::ordered_json& result) {
  if (common.json.empty() || (world_ && world_->topology().rank != 0)) return;
  make_folders(real_files(), Path(common.json).parent_path());
  write_output(real_files(), common.json,
               result.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

ConfigError unknown_command(const std::string& given, const std::string& word,
                            const std::vector<std::string>& names) {
  const std::string near = nearest(word, names);
  return ConfigError("unknown command \"" + given + "\": " +
                     (near.empty() ? "one of " + join(names, ", ") : "did you mean \"" + near + "\"?"));
}

bool asks_for_help(const std::string& word) { return word == "help" || word == "--help" || word == "-h"; }

ExitCode run_verb(App& app, Words words, const Verbs& all) {
  static const std::string kHelp = "--help";
  const bool help = words.empty() || asks_for_help(words[0]);
  const bool all_verbs = help && words.size() > 1 && words[1] == "all";
  if (help && (words.size() < 2 || asks_for_help(words[1]) || all_verbs)) {
    std::string text =
        fmt::format("facemae {0}: {1}\n\n  facemae {0} VERB {2} [OPTIONS]        facemae help {0} VERB\n\n",
                    all.command, all.summary, all.subject);
    const int width = help_width();
    for (const auto& verb : all.verbs) text += in_column(verb.name, verb.summary, 12, width);
    std::fputs(wrapped(text + "\n" + all.epilogue, width).c_str(), stdout);
    for (const auto& verb : all_verbs ? all.verbs : std::span<const Verb>()) {
      std::fputs("\f", stdout);
      verb.run(app, Words(&kHelp, 1));
    }
    return words.empty() ? ExitCode::BadConfiguration : ExitCode::Done;
  }
  if (help) words = words.subspan(1);
  std::vector<std::string> names;
  for (const auto& verb : all.verbs) {
    if (words[0] == verb.name) return verb.run(app, help ? Words(&kHelp, 1) : words.subspan(1));
    names.emplace_back(verb.name);
  }
  throw unknown_command(all.command + " " + words[0], words[0], names);
}

}  // namespace facemae
