#include "trainer/run/observer.h"

#include <torch/torch.h>

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files/owner_files.h"
#include "core/log.h"

namespace facemae {

Observer::Observer(RunFolder& run, const ObserverConfig& config, Communicator& ranks, torch::Device device,
                   Faces picture_faces)
    : run_(run),
      config_(config),
      ranks_(ranks),
      device_(device),
      picture_faces_(std::move(picture_faces)),
      last_(Clock::now()),
      last_step_(config.first_step) {
  if (ranks_.rank() != 0) return;
  metrics_.open(run_.metrics(), std::ios::app);
  evaluations_.open(run_.evaluations(), std::ios::app);
  board_ = std::make_unique<TensorBoard>(owner_files(), run_.path(), config_.start);
  progress_ = std::make_unique<Progress>("training", config_.last_step, "steps");
  progress_->start_from(config_.first_step);
}

void Observer::after_step(std::uint64_t done, Task& task, const StepFigures& figures) {
  data_.add(figures.data);
  exposed_ += figures.exposed_reduction_seconds;
  saving_ = saving_ || figures.saving;
  if (done % config_.log_every == 0 || done == config_.last_step) {
    const auto metrics = task.metrics();
    std::vector<torch::Tensor> shares;
    shares.reserve(metrics.size());
    for (const auto& metric : metrics)
      shares.push_back(metric.share.detach().to(torch::kFloat32).reshape({}));
    // What went wrong with data is of interest on whichever rank it did.
    const std::vector<std::pair<std::string, std::uint64_t>> faults = {
        {"data_substituted", data_.substituted},
        {"data_rereads", data_.reads.rereads},
        {"data_retries", data_.reads.retries},
        {"data_slow_reads", data_.reads.slow}};
    for (const auto& [name, count] : faults)
      shares.push_back(torch::tensor(static_cast<float>(count)).to(device_));
    auto sums = torch::stack(shares).to(device_);
    ranks_.all_reduce(sums, Reduce::Sum).wait();
    ranks_.check();  // what is written down must be true
    if (ranks_.rank() == 0) {
      const double seconds = std::chrono::duration<double>(Clock::now() - last_).count();
      const double rate = static_cast<double>((done - last_step_) * config_.batch) / seconds;
      const double images = static_cast<double>(done * config_.batch);
      nlohmann::ordered_json line = {{"step", done},
                                     {"images", done * config_.batch},
                                     {"epoch", images / static_cast<double>(config_.store_images)}};
      std::vector<std::pair<std::string, double>> scalars;
      const auto add = [&](const std::string& name, double value) {
        line[name] = value;
        scalars.emplace_back(name, value);
      };
      sums = sums.to(torch::kCPU);
      for (std::size_t i = 0; i < metrics.size(); ++i) {
        add(metrics[i].name, sums[static_cast<std::int64_t>(i)].item<double>());
        if (metrics[i].name == "loss") last_loss_ = sums[static_cast<std::int64_t>(i)].item<double>();
      }
      if (task.automatic_weight() != 0) add("relation_weight", task.automatic_weight());
      add("lr", figures.learning_rate);
      add("grad_norm", figures.gradient_norm);
      add("images_per_second", rate);
      add("data_wait_seconds", data_.wait_seconds);
      add("data_full_seconds", data_.full_seconds);
      add("data_read_seconds", data_.reads.read_seconds);
      add("data_crc_seconds", data_.reads.crc_seconds);
      add("data_decode_seconds", data_.decode_seconds);
      add("data_augment_seconds", data_.augment_seconds);
      for (std::size_t i = 0; i < faults.size(); ++i) {
        const auto count = sums[static_cast<std::int64_t>(metrics.size() + i)].item<double>();
        if (count > 0) add(faults[i].first, count);
      }
      add("exposed_reduction_seconds", exposed_);
      add("seconds", seconds);
      if (saving_) add("save_stalled_seconds", figures.save_stalled_seconds - save_stalled_);
      if (figures.skipped > 0) add("skipped", static_cast<double>(figures.skipped));
      metrics_ << line.dump() << std::endl;
      show(done, scalars);
    }
    last_ = Clock::now();
    last_step_ = done;
    data_ = {};
    exposed_ = 0;
    saving_ = false;
    save_stalled_ = figures.save_stalled_seconds;
  }
  if (ranks_.rank() != 0) return;
  if (done >= 16 && std::has_single_bit(done) && std::countr_zero(done) % 2 == 0) draw(done, task);
  progress_->advance(1, fmt::format("loss {:.4g}", last_loss_));
}

void Observer::show(std::uint64_t done, const std::vector<std::pair<std::string, double>>& scalars) {
  try {
    board_->scalars(done, scalars);
  } catch (const FileError& error) {
    spdlog::warn("TensorBoard scalars of step {} are lost: {}", done, error.what());
  }
}

void Observer::evaluate(std::uint64_t done, Task& task, World& world) {
  const auto began = Clock::now();
  const auto results = task.evaluate(world);
  const auto spent = Clock::now() - began;
  last_ += spent;  // images_per_second is of training
  if (ranks_.rank() != 0 || results.empty()) return;
  measured_step_ = done;
  double sum = 0;
  for (const auto& result : results) sum += result.figures.accuracy;
  metric_ = sum / static_cast<double>(results.size());
  for (const auto& [set, pairs, figures] : results) {
    const nlohmann::ordered_json line = {{"step", done},
                                         {"images", done * config_.batch},
                                         {"set", set},
                                         {"pairs", pairs},
                                         {"folds", figures.folds.size()},
                                         {"accuracy", figures.accuracy},
                                         {"accuracy_std", figures.accuracy_std},
                                         {"auc", figures.auc},
                                         {"eer", figures.eer},
                                         {"seconds", std::chrono::duration<double>(spent).count()}};
    evaluations_ << line.dump() << std::endl;
    const std::string name = "evaluation/" + Path(set).stem().string();
    show(done, {{name + "/accuracy", figures.accuracy}, {name + "/auc", figures.auc}});
    spdlog::info("step {}: {}: accuracy {:.2f} % +- {:.2f} ({} pairs), AUC {:.4f}", done, set,
                 100 * figures.accuracy, 100 * figures.accuracy_std, pairs, figures.auc);
  }
}

void Observer::draw(std::uint64_t done, Task& task) {
  if (ranks_.rank() != 0 || done == last_drawn_) return;
  const auto began = Clock::now();
  const Image image = task.picture(picture_faces_);
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
