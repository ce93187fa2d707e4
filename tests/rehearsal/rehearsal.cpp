#include "tests/rehearsal/rehearsal.h"

#include <algorithm>

#include "app/command.h"
#include "checkpoint/tensors/weights.h"
#include "cluster/mpi/mpi_back_end.h"
#include "core/log.h"
#include "tests/rehearsal/device.h"

namespace facemae::rehearsal {

Rehearsal::Rehearsal() {
  install();
  torch::set_num_threads(1);
  spdlog::set_level(spdlog::level::off);
}

std::unique_ptr<World> Rehearsal::on_stand_in(const WorldConfig& config) {
  return open_world(stage.back_ends(), config, stage.gpus());
}

std::unique_ptr<World> Rehearsal::on_cpus() {
  return World::open({mpi_back_end()}, {.device = "cpu", .deadline = std::chrono::minutes(1)});
}

ExitCode Rehearsal::perform(const Words& words) {
  App app(stage.back_ends(), stage.gpus());
  const auto commands = all_commands();
  const auto found =
      std::find_if(commands.begin(), commands.end(), [&](const auto& one) { return one.name == words[0]; });
  if (found == commands.end()) throw Error("no command " + words[0]);
  Words rest(words.begin() + 1, words.end());
  rest.insert(rest.end(), {"--log-level", "off"});
  try {
    const ExitCode code = found->run(app, rest);
    app.world().close();
    return code;
  } catch (const AgreedError&) {
    if (app.has_world()) app.world().close();  // all ranks are here
    throw;
  }
}

Runs::Runs() {
  if (control.is_root()) own.emplace();
  folder = control.broadcast(own ? own->path().string() : "");
}

void Runs::make_faces() {
  perform(
      {"synth", "--out", at("faces"), "--identities", "6", "--images-per-identity", "4", "--threads", "1"});
}

Words Runs::pretraining(const std::string& run, const Words& more) const {
  Words words{"pretrain", "--store",          at("faces"), "--run",     at(run), "--batch",
              "8",        "--patch",          "28",        "--lr",      "1e-3",  "--embedder-size",
              "16",       "--embedder-width", "4",         "--threads", "1",     "--workers",
              "1",        "--decode",         "yuv420"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words Runs::recognition(const std::string& run, const Words& more) const {
  Words words{"recognize", "--store",  at("faces"), "--run",          at(run), "--batch",
              "8",         "--lr",     "0.01",      "--threads",      "1",     "--workers",
              "1",         "--decode", "yuv420",    "--class-shards", "5",     "--memory-format",
              "contiguous"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::map<std::string, torch::Tensor> Runs::weights(const std::string& run) const {
  std::map<std::string, torch::Tensor> all;
  for (const auto& [name, tensor] : read_weights(at(run)).tensors) all.emplace(name, tensor);
  return all;
}

void expect_equal(const std::map<std::string, torch::Tensor>& found,
                  const std::map<std::string, torch::Tensor>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_TRUE(found.at(name).equal(tensor)) << name;
  }
}

}  // namespace facemae::rehearsal
