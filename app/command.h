#pragma once
// What every command of the program gets, and the list of commands.
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "cluster/world/accelerator.h"
#include "core/error.h"
#include "core/options/options.h"

namespace facemae {

using Words = std::span<const std::string>;

/// The program around a command: opens the world when asked, writes the command's result.
class App {
 public:
  App(BackEnds back_ends, Accelerator gpus) : back_ends_(std::move(back_ends)), gpus_(std::move(gpus)) {}
  CommonOptions common;
  /// Starts MPI (when a launcher started us) and logging; the second call returns the same world.
  World& world(const WorldConfig& config = {});
  /// For commands that work on one rank only: throws ConfigError under a launcher with several.
  World& alone(const std::string& command);
  bool has_world() const { return world_ != nullptr; }
  /// MPI was started and ended again because the world could not be opened: it must not be
  /// tried a second time.
  bool world_refused() const { return refused_; }
  /// What the GPU of a rank there can do, also where the world was opened without.
  DeviceReport device_report(const Topology& topology) const;
  /// GPUs that this process sees, with a LibTorch that can use them.
  int gpu_count() const;
  /// The CUDA that LibTorch was built for, 13000 for 13.0, 0 without; "NCCL 2.28.9" where it is built.
  int cuda_version() const;
  std::string nccl_version() const;
  /// Rank 0: writes `result` to the file of --json, if given.
  void result(const nlohmann::ordered_json& result);

 private:
  BackEnds back_ends_;
  Accelerator gpus_;
  std::unique_ptr<World> world_;
  bool refused_ = false;
};

struct Command {
  const char* name;
  const char* heading;  ///< of the group that it is listed in
  const char* summary;
  ExitCode (*run)(App& app, Words words);
};
std::span<const Command> all_commands();
/// "unknown command ...", with the nearest of the names.
ConfigError unknown_command(const std::string& given, const std::string& word,
                            const std::vector<std::string>& names);
/// "help", "--help" or "-h".
bool asks_for_help(const std::string& word);

/// A command that is several, such as `store`.
struct Verb {
  const char* name;
  const char* summary;
  ExitCode (*run)(App& app, Words words);
};
struct Verbs {
  std::string command, summary, subject;  ///< "store", "works on finished stores", "STORE"
  std::span<const Verb> verbs;
  std::string epilogue;  ///< of --help
};
/// Runs the verb that the first word names with the words after it, or prints help. Throws ConfigError.
/// "help", "--help" and "-h" are understood before the verb and after it; "--help all" prints those of all verbs, too.
ExitCode run_verb(App& app, Words words, const Verbs& all);

ExitCode run_synth(App& app, Words words);
ExitCode run_pack(App& app, Words words);
ExitCode run_unpack(App& app, Words words);
ExitCode run_store(App& app, Words words);
ExitCode run_pairs(App& app, Words words);
ExitCode run_pretrain(App& app, Words words);
ExitCode run_recognize(App& app, Words words);
ExitCode run_reconstruct(App& app, Words words);
ExitCode run_release(App& app, Words words);
ExitCode run_evaluate(App& app, Words words);
ExitCode run_embed(App& app, Words words);
ExitCode run_audit(App& app, Words words);
ExitCode run_compare(App& app, Words words);
ExitCode run_show(App& app, Words words);
ExitCode run_checkpoint(App& app, Words words);
ExitCode run_status(App& app, Words words);
ExitCode run_stop(App& app, Words words);
ExitCode run_save(App& app, Words words);
ExitCode run_doctor(App& app, Words words);
ExitCode run_export(App& app, Words words);
ExitCode run_import(App& app, Words words);

}  // namespace facemae
