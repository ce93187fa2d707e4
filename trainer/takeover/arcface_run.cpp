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

using Kind = PickleValue::Kind;

constexpr std::string_view kModel = "model.", kCentres = "centres", kOfOptimizer = "optimizer.",
                           kSteps = "steps";

/// The value of a key that is a number.
const PickleValue* entry_at(const Pickle& pickle, const PickleValue& dict, std::int64_t key) {
  if (dict.kind != Kind::Dict) return nullptr;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2)
    if (const auto& name = pickle.at(dict.items[i]); name.kind == Kind::Int && name.number == key)
      return &pickle.at(dict.items[i + 1]);
  return nullptr;
}

/// Through dicts, by their keys; null where one of them is missing.
const PickleValue* entry_along(const Pickle& pickle, std::initializer_list<std::string_view> keys) {
  const auto* value = &pickle.root();
  for (const auto key : keys)
    if (value != nullptr) value = entry_of(pickle, *value, key);
  return value;
}

std::optional<double> real_of(const PickleValue* value) {
  if (value != nullptr && value->kind == Kind::Float) return value->real;
  if (value != nullptr && value->kind == Kind::Int) return static_cast<double>(value->number);
  return {};
}
std::optional<std::uint64_t> count_of(const PickleValue* value) {
  if (value == nullptr || value->kind != Kind::Int || value->number < 0) return {};
  return static_cast<std::uint64_t>(value->number);
}
const PickleValue* item_of(const Pickle& pickle, const PickleValue* list, std::size_t i) {
  if (list == nullptr || (list->kind != Kind::List && list->kind != Kind::Tuple) || list->items.size() <= i)
    return nullptr;
  return &pickle.at(list->items[i]);
}

/// Parameters in their order, which is that of the state dict without buffers.
bool is_buffer(std::string_view name) {
  return name.ends_with(".running_mean") || name.ends_with(".running_var") ||
         name.ends_with(".num_batches_tracked");
}

/// The tensor of class centres in a file that a rank left.
const PickleValue& centres_in(const TorchFile& file, bool whole) {
  const auto* found =
      whole ? entry_along(file.pickle(), {"state_dict_softmax_fc", "weight"}) : &file.pickle().root();
  if (found == nullptr)
    throw DataError(
        "reading " + file.name() +
        ": it has no state_dict_softmax_fc with a weight, so it is no checkpoint of arcface_torch");
  return *found;
}

/// The moments of parameter `number` by name, null without any.
const PickleValue* moments_of(const Pickle& pickle, std::int64_t number) {
  const auto* states = entry_along(pickle, {"state_optimizer", "state"});
  return states == nullptr ? nullptr : entry_at(pickle, *states, number);
}

/// The number that the optimizer has for the class centres: the one of its last group.
std::optional<std::int64_t> number_of_centres(const Pickle& pickle) {
  const auto* groups = entry_along(pickle, {"state_optimizer", "param_groups"});
  if (groups == nullptr || groups->items.empty()) return {};
  const auto* group = item_of(pickle, groups, groups->items.size() - 1);
  const auto* number = item_of(pickle, entry_of(pickle, *group, "params"), 0);
  if (number == nullptr || number->kind != Kind::Int) return {};
  return number->number;
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
    const std::uint64_t step = whole ? count_of(entry_along(file.pickle(), {"global_step"})).value_or(0) : 0;
    if (path == shards.front()) {
      read_settings(file);
    } else if (whole && step != settings_.step.value_or(0)) {
      throw ConfigError(
          fmt::format("{} is of step {}, {} of step {}: they are of two saves; take all files of one",
                      path.string(), step, shards.front().string(), settings_.step.value_or(0)));
    }
    const auto& shape = file.shape(centres_in(file, whole), "the class centres");
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

void ArcfaceRun::read_settings(TorchFile& file) {
  const Pickle& pickle = file.pickle();
  settings_.step = count_of(entry_along(pickle, {"global_step"}));
  if (files_.whole.empty()) return;
  const auto scheduler = [&](std::string_view key) {
    return entry_along(pickle, {"state_lr_scheduler", key});
  };
  settings_.lr = real_of(item_of(pickle, scheduler("base_lrs"), 0));
  settings_.power = real_of(scheduler("power"));
  settings_.total_steps = count_of(scheduler("total_iters"));
  settings_.warmup_steps = count_of(scheduler("warmup_iters"));
  const auto* group = item_of(pickle, entry_along(pickle, {"state_optimizer", "param_groups"}), 0);
  if (group == nullptr) return;
  settings_.weight_decay = real_of(entry_of(pickle, *group, "weight_decay"));
  settings_.momentum = real_of(entry_of(pickle, *group, "momentum"));
  const auto* betas = entry_of(pickle, *group, "betas");
  settings_.beta1 = real_of(item_of(pickle, betas, 0));
  settings_.beta2 = real_of(item_of(pickle, betas, 1));
  settings_.optimizer = betas != nullptr ? "adamw" : "sgd";
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
    const auto* moments = whole ? moments_of(file.pickle(), numbers.at(name)) : nullptr;
    const auto* value = moments == nullptr ? nullptr : entry_of(file.pickle(), *moments, moment);
    if (value == nullptr || value->kind != Kind::Tensor) {
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
  const PickleValue* value = nullptr;
  if (moment.empty() || !whole) {
    value = &centres_in(file, whole);
  } else if (const auto number = number_of_centres(file.pickle())) {
    const auto* moments = moments_of(file.pickle(), *number);
    if (moments != nullptr) value = entry_of(file.pickle(), *moments, moment);
  }
  if (value == nullptr || value->kind == Kind::None) return {};
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
