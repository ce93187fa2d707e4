#include "trainer/takeover/arcface_run.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>

#include "checkpoint/format/finite.h"
#include "checkpoint/tensors/wrappers.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/apply/what_fits.h"

namespace facemae {
namespace {

constexpr std::string_view kModel = "model.", kCentres = "centres", kOfOptimizer = "optimizer.",
                           kSteps = "steps";

/// Parameters in their order, which is that of the state dict without buffers.
bool is_buffer(std::string_view name) {
  return name.ends_with(".running_mean") || name.ends_with(".running_var") ||
         name.ends_with(".num_batches_tracked");
}

/// "momentum_buffer" of "optimizer.momentum_buffer.conv1.weight", and the rest.
std::pair<std::string, std::string> moment_and_name(const std::string& name) {
  const std::string rest = name.substr(kOfOptimizer.size());
  const auto dot = rest.find('.');
  return dot == rest.npos ? std::pair(rest, std::string())
                          : std::pair(rest.substr(0, dot), rest.substr(dot + 1));
}

}  // namespace

ArcfaceRun::ArcfaceRun(const Path& folder)
    : folder_(folder), files_(find_arcface_files(folder)), first_class_{0} {
  const bool whole = !files_.whole.empty();
  const auto& shards = whole ? files_.whole : files_.centres;
  for (const Path& path : shards) {
    TorchFile file(path);
    const std::uint64_t step = whole ? arcface_step(file.pickle()).value_or(0) : 0;
    if (path == shards.front()) {
      if (whole) settings_ = arcface_settings(file.pickle());
    } else if (whole && step != settings_.step.value_or(0)) {
      throw ConfigError(
          fmt::format("{} is of step {}, {} of step {}: they are of two saves; take all files of one",
                      path.string(), step, shards.front().string(), settings_.step.value_or(0)));
    }
    const auto& shape = file.shape(arcface_centres(file, whole), "the class centres");
    if (shape.size() != 2) throw DataError("reading " + path.string() + ": the class centres are no matrix");
    first_class_.push_back(first_class_.back() + static_cast<std::uint64_t>(shape[0]));
  }
  for (std::size_t r = 0; r < ranks(); ++r) {
    const std::uint64_t rows = first_class_[r + 1] - first_class_[r];
    if (const std::uint64_t wanted = classes() / ranks() + (r < classes() % ranks() ? 1 : 0); rows != wanted)
      throw ConfigError(fmt::format(
          "{} has {} classes; of {} classes on {} GPUs, rank {} would have {}: a file is missing, or of another run",
          shards[r].string(), rows, classes(), ranks(), r, wanted));
  }
}

void ArcfaceRun::fill(Snapshot& into, std::uint64_t step) const {
  for (const auto& tensor : into.by_class)
    if (static_cast<std::uint64_t>(tensor.total) != classes())
      throw ConfigError(fmt::format(
          "the run in {} has {} classes, the store {} identities: give the store that is packed from the images that it was "
          "trained on. A new run with other classes begins with `recognize --init`",
          folder_.string(), classes(), tensor.total));
  const torch::NoGradGuard no_grad;
  fill_backbone(into, step);
  for (auto& tensor : into.by_class)
    fill_classes(tensor, tensor.name == kCentres ? "" : moment_and_name(tensor.name).first, step);
}

void ArcfaceRun::fill_backbone(Snapshot& into, std::uint64_t step) const {
  const bool whole = !files_.whole.empty();
  TorchFile file(whole ? files_.whole.front() : files_.backbone);
  const NamedTensors tensors = without_wrappers(file.state_dict());
  const std::map<std::string, torch::Tensor> backbone(tensors.begin(), tensors.end());
  std::map<std::string, std::int64_t> numbers;  // of the optimizer's parameters
  for (const auto& [name, value] : tensors)
    if (!is_buffer(name)) numbers.emplace(name, std::ssize(numbers));
  std::vector<std::string> wrong, without;
  std::size_t taken = 0;
  for (auto& tensor : into.replicated) {
    if (!tensor.name.starts_with(kModel)) continue;
    const std::string name = tensor.name.substr(kModel.size());
    const auto found = backbone.find(name);
    if (found == backbone.end() || found->second.sizes() != tensor.value.sizes()) {
      wrong.push_back(name);
    } else {
      tensor.value.copy_(found->second);
      ++taken;
    }
  }
  if (!wrong.empty() || taken != backbone.size())
    throw ConfigError(
        fmt::format("{} is of another network: {} of its {} tensors fit, {} are missing ({}).{}", file.name(),
                    taken, backbone.size(), wrong.size(), first_of(wrong), what_fits(tensors)));
  for (auto& tensor : into.replicated) {
    if (!tensor.name.starts_with(kOfOptimizer)) continue;
    const auto [moment, name] = moment_and_name(tensor.name);
    if (moment == kSteps) {
      tensor.value.fill_(static_cast<double>(step));
      continue;
    }
    const auto* value = whole ? moment_of_parameter(file.pickle(), numbers.at(name), moment) : nullptr;
    if (value == nullptr) {
      without.push_back(name);
      continue;
    }
    const auto found = file.tensor(*value, moment + " of " + name);
    if (found.sizes() != tensor.value.sizes())
      throw DataError(fmt::format(
          "reading {}: {} of {} has another shape than the parameter: was the order of the parameters "
          "changed?",
          file.name(), moment, name));
    tensor.value.copy_(found);
  }
  if (!without.empty())
    spdlog::warn("{} has no moments of {} parameter(s) ({}): they begin at 0", file.name(), without.size(),
                 first_of(without));
}

/// All rows of a rank's shard: of the centres where `moment` is "". Undefined where its file does not have them.
torch::Tensor ArcfaceRun::rows_of(std::size_t rank, const std::string& moment) const {
  const bool whole = !files_.whole.empty();
  if (!whole && !moment.empty() && (files_.momenta.empty() || moment != "momentum_buffer")) return {};
  TorchFile file(whole ? files_.whole[rank] : moment.empty() ? files_.centres[rank] : files_.momenta[rank]);
  const auto* value =
      whole && !moment.empty() ? moment_of_centres(file.pickle(), moment) : &arcface_centres(file, whole);
  if (value == nullptr) return {};
  return file.tensor(*value, moment.empty() ? "the class centres" : moment + " of the class centres");
}

void ArcfaceRun::fill_classes(ClassTensor& into, const std::string& moment, std::uint64_t step) const {
  if (moment == kSteps) {
    into.rows.fill_(static_cast<double>(step));
    return;
  }
  const auto first = static_cast<std::uint64_t>(into.first),
             last = first + static_cast<std::uint64_t>(into.rows.size(0));
  std::uint64_t without = 0, sampled = 0;
  for (std::size_t r = 0; r < ranks(); ++r) {
    const std::uint64_t begin = std::max(first, first_class_[r]), end = std::min(last, first_class_[r + 1]);
    if (begin >= end) continue;
    const auto rows = rows_of(r, moment);
    const auto held = rows.defined() ? static_cast<std::uint64_t>(rows.size(0)) : 0;
    if (rows.defined() && (rows.dim() != 2 || rows.size(1) != into.rows.size(1)))
      throw ConfigError(
          fmt::format("the classes in {} have centres of {} values, this network embeddings of {}: give its "
                      "--network",
                      folder_.string(), rows.size(-1), into.rows.size(1)));
    if (held != first_class_[r + 1] - first_class_[r]) {
      without += end - begin;
      sampled += rows.defined() ? end - begin : 0;
      continue;
    }
    const auto at = [](std::uint64_t row) { return static_cast<std::int64_t>(row); };
    into.rows.slice(0, at(begin - first), at(end - first))
        .copy_(rows.slice(0, at(begin - first_class_[r]), at(end - first_class_[r])));
  }
  if (without == 0) return;
  spdlog::warn(
      "{}: {} of {} classes is not in the files{}: it begins at 0", folder_.string(), moment, without,
      sampled > 0 ? ", which have those of the classes that the last step had sampled, without saying which"
                  : "");
}

}  // namespace facemae
