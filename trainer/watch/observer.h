#pragma once
// Watches a run from outside: metrics.jsonl, TensorBoard, sample pictures, the progress line.
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <vector>

#include "cluster/tensors/communicator.h"
#include "core/progress.h"
#include "data/loader/loader_figures.h"
#include "trainer/files/metrics_line.h"
#include "trainer/files/run_folder.h"
#include "trainer/files/tensorboard.h"
#include "trainer/speed/profile.h"
#include "trainer/step/task.h"
#include "trainer/watch/line_figures.h"

namespace facemae {

struct ObserverConfig {
  std::uint64_t log_every = 10, batch = 1, store_images = 1, first_step = 0, last_step = 1;
  std::uint32_t start = 0;
  double flops_of_image = 0;         ///< forward and backward; 0: unknown
  std::optional<double> peak_speed;  ///< of one rank's device (trainer/speed/peak_speed.h)
};

/// What a run can be asked beside its figures.
struct ObservedRoles {
  PictureMaker* pictures = nullptr;
  Faces picture_faces = {};  ///< of the sample pictures, on rank 0
  Evaluator* evaluator = nullptr;
  World* world = nullptr;  ///< what the evaluator measures on
  Profile* profile = nullptr;
};

class Observer {
 public:
  /// All ranks make one; only rank 0 writes.
  Observer(RunFolder& run, const ObserverConfig& config, Communicator& ranks, torch::Device device,
           ObservedRoles roles);
  struct StepFigures {
    double learning_rate = 0;
    LoaderFigures data;         ///< of the step
    double waited_seconds = 0;  ///< in all so far: in the coupled loss and the reduction
    double exposed_reduction_seconds = 0;
    bool saving = false;              ///< a checkpoint was being written or read back beside the step
    double save_stalled_seconds = 0;  ///< in all so far: training waited for checkpoints
  };
  /// Whether after_step() will ask for the metrics of this step.
  bool line_due(std::uint64_t done) const {
    return done % config_.log_every == 0 || done == config_.last_step;
  }
  /// After step number `done` (counted from 1). All ranks: sums the metrics over ranks when a line is due, which is
  /// written once it is known what was decided on the step.
  void after_step(std::uint64_t done, Task& task, const StepFigures& figures);
  /// What was decided on a step, before or after after_step() of it; `skipped`: updates so far. Throws PeerLost.
  void decided(std::uint64_t step, double gradient_norm, std::uint64_t skipped);
  /// All ranks: what the model reaches on data kept apart goes to evaluations.jsonl, TensorBoard and the log. So does
  /// why a set could not be measured: the run goes on.
  void evaluate(std::uint64_t done);
  /// Rank 0: draws RUN/samples/step_<done>.png. Also called by after_step at steps 16, 64, 256, ...
  void draw(std::uint64_t done);
  void finish();
  /// Rank 0: the mean accuracy over all sets when all of them were evaluated after this step.
  std::optional<double> metric_of(std::uint64_t done) const {
    return done == measured_step_ ? metric_ : std::nullopt;
  }

 private:
  /// A line that was begun.
  struct Line {
    std::uint64_t step = 0;
    LineFigures ranks;
    LoaderFigures data;
    double learning_rate = 0, images_per_second = 0, exposed_reduction_seconds = 0, seconds = 0;
    std::optional<Reading> relation_weight;
    std::optional<double> save_stalled_seconds;
  };
  struct OfStep {
    std::uint64_t step = 0;
    double gradient_norm = 0;
    std::uint64_t skipped = 0;
  };
  void note_figures(std::uint64_t done, const Evaluated& result, const std::string& name, double seconds);
  void note_failure(std::uint64_t done, const Evaluated& result);
  void begin_line(std::uint64_t done, Task& task, const StepFigures& figures);
  void write_line();
  void add_speed(MetricsLine& line, double images_per_second, const MostOfRanks& most);
  void show(std::uint64_t done, const std::vector<std::pair<std::string, double>>& scalars);
  using Clock = std::chrono::steady_clock;
  RunFolder& run_;
  ObserverConfig config_;
  Communicator& ranks_;
  torch::Device device_;
  ObservedRoles roles_;
  std::ofstream metrics_, evaluations_;
  std::unique_ptr<TensorBoard> board_;
  std::unique_ptr<Progress> progress_;
  Clock::time_point last_;
  std::uint64_t last_step_, last_drawn_ = 0;
  LoaderFigures data_;  ///< since the last line
  double exposed_ = 0, save_stalled_ = 0, waited_ = 0;
  std::string loss_, speed_;  ///< of the last line, for the progress line
  bool saving_ = false;
  std::optional<Line> line_;
  OfStep decided_;
  std::uint64_t measured_step_ = 0, failed_evaluations_ = 0;
  std::optional<double> metric_;
};

}  // namespace facemae
