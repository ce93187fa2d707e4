#pragma once
// What rehearsals on several ranks share: a world on the stand-in, one on CPUs, and commands on either.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/host/agree.h"
#include "cluster/mpi/mpi_control.h"
#include "core/error.h"
#include "tests/rehearsal/stage.h"
#include "tests/temporary_folder.h"

namespace facemae::rehearsal {

using Words = std::vector<std::string>;

struct Rehearsal : testing::Test {
  Rehearsal();
  std::unique_ptr<World> on_stand_in(const WorldConfig& config = {.deadline = std::chrono::minutes(1)});
  std::unique_ptr<World> on_cpus();

  /// Runs a command of the program on all ranks, in this process; what it throws is thrown.
  ExitCode perform(const Words& words);

  MpiControl control{std::chrono::minutes(1)};
  Stage stage;
};

/// Commands on files in a folder of all ranks' own.
struct Runs : Rehearsal {
  Runs();
  ~Runs() override { control.barrier(std::chrono::minutes(1)); }
  Path at(const std::string& name) const { return folder / name; }
  /// 24 pictures of 6 people in `faces`.
  void make_faces();
  /// The smallest pretraining, of RUN `run`, with further options.
  Words pretraining(const std::string& run, const Words& more) const;
  Words recognition(const std::string& run, const Words& more) const;
  std::map<std::string, torch::Tensor> weights(const std::string& run) const;

  std::optional<test::TemporaryFolder> own;  ///< rank 0's
  Path folder;
};

/// To the last bit.
void expect_equal(const std::map<std::string, torch::Tensor>& found,
                  const std::map<std::string, torch::Tensor>& wanted);

}  // namespace facemae::rehearsal
