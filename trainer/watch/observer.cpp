#include "trainer/watch/observer.h"

#include <torch/torch.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "core/files/owner_files.h"
#include "core/log.h"
#include "core/text.h"
#include "evaluation/verification/verification_tables.h"
#include "trainer/speed/memory.h"

namespace facemae {
namespace {

/// The name of a set's file without its ending, or its path where another set has that name, too.
std::string short_name(const std::string& set, const std::vector<Evaluated>& all) {
  const auto stem = [](const std::string& path) { return Path(path).stem().string(); };
  const auto alike =
      std::count_if(all.begin(), all.end(), [&](const auto& other) { return stem(other.set) == stem(set); });
  return alike > 1 ? set : stem(set);
}

void add_times(MetricsLine& line, const LoaderFigures& data) {
  line.add("data_wait_seconds", data.wait_seconds);
  line.add("data_full_seconds", data.full_seconds);
  line.add("data_read_seconds", data.reads.read_seconds);
  line.add("data_crc_seconds", data.reads.crc_seconds);
  line.add("data_decode_seconds", data.decode_seconds);
  line.add("data_augment_seconds", data.augment_seconds);
}

}  // namespace

Observer::Observer(RunFolder& run, const ObserverConfig& config, Communicator& ranks, torch::Device device,
                   ObservedRoles roles)
    : run_(run),
      config_(config),
      ranks_(ranks),
      device_(device),
      roles_(std::move(roles)),
      last_(Clock::now()),
      last_step_(config.first_step) {
  if (ranks_.rank() != 0) return;
  metrics_.open(run_.metrics(), std::ios::app);
  evaluations_.open(run_.evaluations(), std::ios::app);
  board_ = std::make_unique<TensorBoard>(owner_files(), run_.path(), config_.start, config_.first_step);
  progress_ = std::make_unique<Progress>("training", config_.last_step, "steps");
  progress_->start_from(config_.first_step);
}

void Observer::after_step(std::uint64_t done, Task& task, const StepFigures& figures) {
  data_.add(figures.data);
  exposed_ += figures.exposed_reduction_seconds;
  saving_ = saving_ || figures.saving;
  if (line_due(done)) begin_line(done, task, figures);
  if (roles_.profile != nullptr) roles_.profile->after_step(done);
  if (ranks_.rank() != 0) return;
  if (done >= 16 && std::has_single_bit(done) && std::countr_zero(done) % 2 == 0) draw(done);
  progress_->advance(1, loss_ + speed_);
}

void Observer::decided(std::uint64_t step, double gradient_norm, std::uint64_t skipped) {
  decided_ = {.step = step, .gradient_norm = gradient_norm, .skipped = skipped};
  if (line_ && line_->step == step) write_line();
}

void Observer::begin_line(std::uint64_t done, Task& task, const StepFigures& figures) {
  const double seconds = std::chrono::duration<double>(Clock::now() - last_).count();
  const auto steps = static_cast<double>(done - last_step_);
  line_ = {.step = done,
           .ranks = LineFigures(task.metrics(), data_,
                                {.busy_seconds = (seconds - (figures.waited_seconds - waited_)) / steps,
                                 .data_wait_seconds = data_.wait_seconds,
                                 .memory_bytes = static_cast<double>(peak_memory(device_))},
                                ranks_),
           .data = data_,
           .learning_rate = figures.learning_rate,
           .images_per_second = steps * static_cast<double>(config_.batch) / seconds,
           .exposed_reduction_seconds = exposed_,
           .seconds = seconds};
  if (task.automatic_weight.defined()) line_->relation_weight.emplace(task.automatic_weight.reshape({1}));
  if (saving_) line_->save_stalled_seconds = figures.save_stalled_seconds - save_stalled_;
  last_ = Clock::now();
  last_step_ = done;
  data_ = {};
  exposed_ = 0;
  saving_ = false;
  save_stalled_ = figures.save_stalled_seconds;
  waited_ = figures.waited_seconds;
  if (decided_.step == done) write_line();
}

void Observer::write_line() {
  const Line now = *std::exchange(line_, std::nullopt);
  const auto of_ranks = now.ranks.known();
  ranks_.check_known();  // what is written down must be true
  if (ranks_.rank() != 0) return;
  MetricsLine line(now.step, config_.batch, config_.store_images);
  for (const auto& [name, value] : of_ranks.metrics) {
    line.add(name, value);
    if (name == "loss") loss_ = fmt::format("loss {:.4g}", value);
  }
  if (now.relation_weight)
    if (const double weight = now.relation_weight->values().front(); weight != 0)
      line.add("relation_weight", weight);
  line.add("lr", now.learning_rate);
  line.add("grad_norm", decided_.gradient_norm);
  line.add("images_per_second", now.images_per_second);
  add_speed(line, now.images_per_second, of_ranks.most);
  add_times(line, now.data);
  for (const auto& [name, count] : of_ranks.faults) line.add(name, count);
  line.add("exposed_reduction_seconds", now.exposed_reduction_seconds);
  line.add("seconds", now.seconds);
  if (now.save_stalled_seconds) line.add("save_stalled_seconds", *now.save_stalled_seconds);
  if (failed_evaluations_ > 0) line.add("failed_evaluations", static_cast<double>(failed_evaluations_));
  if (decided_.skipped > 0) line.add("skipped", static_cast<double>(decided_.skipped));
  metrics_ << line.text() << std::endl;
  show(now.step, line.figures());
}

/// What is logged of speed beside images: how much the model computes, and which rank the others wait for.
void Observer::add_speed(MetricsLine& line, double images_per_second, const MostOfRanks& most) {
  speed_.clear();
  if (config_.flops_of_image > 0) {
    const double of_rank = config_.flops_of_image * images_per_second / ranks_.size();
    line.add("model_teraflops_per_second", of_rank / 1e12);
    if (config_.peak_speed) {
      line.add("mfu", of_rank / *config_.peak_speed);
      speed_ += fmt::format("  MFU {:.1f} %", 100 * of_rank / *config_.peak_speed);
    }
  }
  line.add("busiest_seconds", most.busy.value);
  line.add("busiest_rank", most.busy.rank);
  line.add("most_data_wait_seconds", most.data_wait.value);
  line.add("most_data_wait_rank", most.data_wait.rank);
  line.add("most_memory_bytes", most.memory.value);
  line.add("most_memory_rank", most.memory.rank);
  if (ranks_.size() > 1)
    speed_ += fmt::format("  slowest rank {}: {:.3g} s/step", most.busy.rank, most.busy.value);
  speed_ += "  " + human_bytes(static_cast<std::uint64_t>(most.memory.value));
}

void Observer::show(std::uint64_t done, const std::vector<std::pair<std::string, double>>& scalars) {
  try {
    board_->scalars(done, scalars);
  } catch (const FileError& error) {
    spdlog::warn("TensorBoard scalars of step {} are lost: {}", done, error.what());
  }
}

void Observer::evaluate(std::uint64_t done) {
  if (roles_.evaluator == nullptr) return;
  const auto began = Clock::now();
  const auto results = roles_.evaluator->evaluate(*roles_.world);
  const auto spent = Clock::now() - began;
  last_ += spent;  // images_per_second is of training
  if (ranks_.rank() != 0 || results.empty()) return;
  double sum = 0;
  std::size_t measured = 0;
  for (const auto& result : results) {
    if (!result.failure.empty()) {
      note_failure(done, result);
      continue;
    }
    sum += result.figures.accuracy;
    ++measured;
    note_figures(done, result, "evaluation/" + short_name(result.set, results),
                 std::chrono::duration<double>(spent).count());
  }
  if (measured < results.size()) return;  // a mean over other sets would not compare with earlier ones
  measured_step_ = done;
  metric_ = sum / static_cast<double>(measured);
}

void Observer::note_figures(std::uint64_t done, const Evaluated& result, const std::string& name,
                            double seconds) {
  const Verification& figures = result.figures;
  nlohmann::ordered_json line = {{"step", done},
                                 {"images", done * config_.batch},
                                 {"set", result.set},
                                 {"pairs", result.pairs},
                                 {"folds", figures.folds.size()},
                                 {"accuracy", figures.accuracy},
                                 {"accuracy_std", figures.accuracy_std},
                                 {"auc", figures.auc},
                                 {"eer", figures.eer}};
  std::vector<std::pair<std::string, double>> scalars = {{name + "/accuracy", figures.accuracy},
                                                         {name + "/auc", figures.auc}};
  const auto add = [&](const std::string& figure, double value) {
    line[figure] = value;
    scalars.emplace_back(name + '/' + figure, value);
  };
  if (result.xnorm) add("xnorm", *result.xnorm);
  for (const auto& at : figures.tar_at_far) add(tar_name(at.far), at.tar);
  line["seconds"] = seconds;
  evaluations_ << line.dump() << std::endl;
  show(done, scalars);
  spdlog::info("step {}: {}: accuracy {:.2f} % +- {:.2f} ({} pairs), AUC {:.4f}, norm {:.3g}", done,
               result.set, 100 * figures.accuracy, 100 * figures.accuracy_std, result.pairs, figures.auc,
               result.xnorm.value_or(std::nan("")));
  if (figures.collapsed) spdlog::warn("step {}: {}", done, collapse_of(result));
}

void Observer::note_failure(std::uint64_t done, const Evaluated& result) {
  ++failed_evaluations_;
  evaluations_ << nlohmann::ordered_json{{"step", done},
                                         {"images", done * config_.batch},
                                         {"set", result.set},
                                         {"failure", result.failure}}
                      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
               << std::endl;
  spdlog::error(
      "step {}: {} could not be measured, and training goes on without its figures ({} such failure(s) so far): {}",
      done, result.set, failed_evaluations_, result.failure);
}

void Observer::draw(std::uint64_t done) {
  if (ranks_.rank() != 0 || roles_.pictures == nullptr || done == last_drawn_) return;
  const auto began = Clock::now();
  const Image image = roles_.pictures->picture(roles_.picture_faces);
  if (image.pixels.empty()) return;
  const bool first = last_drawn_ == 0;
  last_drawn_ = done;
  const Path path = run_.samples() / fmt::format("step_{:09}.png", done);
  try {  // a full disk must not end what the checkpoints survive
    const auto png = encode_png(image);
    write_durably(owner_files(), path, Bytes(png));  // real faces are in it
    board_->picture(done, "samples", image);
    if (first) spdlog::info("sample pictures (original | masked | rebuilt): {}", path.string());
  } catch (const FileError& error) {
    spdlog::warn("sample picture of step {} is lost: {}", done, error.what());
  }
  last_ += Clock::now() - began;  // images_per_second is of training
}

void Observer::finish() {
  if (progress_) progress_->finish();
}

}  // namespace facemae
