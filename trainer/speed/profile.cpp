#include "trainer/speed/profile.h"

#include <torch/csrc/autograd/profiler_kineto.h>

#include <cerrno>
#include <cstdlib>
#include <set>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

namespace profiler = torch::autograd::profiler;
using torch::profiler::impl::ActivityType;

std::set<ActivityType> activities_on(torch::Device device) {
  std::set<ActivityType> activities = {ActivityType::CPU};
  if (device.is_cuda()) activities.insert(ActivityType::CUDA);
  return activities;
}

}  // namespace

Profile::Profile(std::optional<StepSpan> steps, Path folder, int rank, torch::Device device,
                 std::uint64_t done)
    : steps_(steps), folder_(std::move(folder)), rank_(rank), device_(device), done_(done) {
  after_step(done);
}

Profile::~Profile() {
  if (running_) stop();
}

void Profile::after_step(std::uint64_t done) {
  done_ = done;
  if (!steps_) return;
  if (running_ && done >= steps_->last) stop();
  if (!running_ && done + 1 >= steps_->first && done < steps_->last) start();
}

void Profile::start() {
  // It calls a machine without GPUs an error.
  if (device_.is_cpu()) ::setenv("KINETO_LOG_LEVEL", "5", /*overwrite=*/0);
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO,
                                                     /*report_input_shapes=*/true);
  profiler::prepareProfiler(config, activities_on(device_));
  profiler::enableProfiler(config, activities_on(device_));
  first_ = done_ + 1;
  running_ = true;
}

void Profile::stop() {
  running_ = false;
  const Path path = folder_ / fmt::format("steps-{}-{}.rank{}.json", first_, done_, rank_);
  try {
    const auto trace = profiler::disableProfiler();
    make_folders(real_files(), folder_);
    trace->save(path.string());
    if (!std::filesystem::exists(path)) throw FileError("writing " + path.string(), ENOSPC);
    if (rank_ == 0) spdlog::info("profile of steps {} to {}: {}", first_, done_, path.string());
  } catch (const std::exception& error) {
    spdlog::warn("the profile of rank {} is lost: {}", rank_, error.what());
  }
}

}  // namespace facemae
