// facemae export and import: weights under the field's own names.
#include "app/command.h"
#include "app/output_locks.h"
#include "checkpoint/tensors/pytorch.h"
#include "checkpoint/tensors/wrappers.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/text.h"
#include "model/common/state.h"
#include "model/recognition/aliases.h"
#include "trainer/apply/models.h"
#include "trainer/export/network_as_onnx.h"

namespace facemae {
namespace {

/// Describes a FaceMAE or a recognition network in a file's metadata, so that the file needs no
/// configuration beside it.
std::map<std::string, std::string> metadata_of(const Weights& weights) {
  std::map<std::string, std::string> metadata = weights.metadata;
  metadata["format"] = "pt";
  metadata["facemae"] = program_version();
  if (const std::string network = network_name_of(weights); !network.empty()) {
    metadata["network"] = network;
  } else {
    const FaceMaeConfig config = face_mae_from(weights)->config;
    metadata["image"] = std::to_string(config.image);
    metadata["patch"] = std::to_string(config.patch);
    metadata["heads"] = std::to_string(config.heads);
    metadata["decoder_heads"] = std::to_string(config.decoder_heads);
    if (!weights.config.empty()) metadata["normalise-patches"] = normalises_patches(weights) ? "yes" : "no";
    if (const std::string learned = reconstruction_of(weights); !learned.empty())
      metadata["reconstruction"] = learned;
    if (const auto blend = blend_of(weights); !blend.empty()) metadata["blend"] = blend;
    if (const auto ratio = mask_ratio_of(weights)) metadata["mask-ratio"] = fmt::format("{}", *ratio);
  }
  return metadata;
}

void write_tensors(const std::string& format, const Path& file, const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata) {
  if (format == "pt") return write_pytorch(real_files(), file, tensors);
  write_safetensors(real_files(), file, tensors, metadata);
}

void write_onnx(const Path& file, const Weights& weights) {
  const auto name = network_name_of(weights);
  if (name.empty())
    throw ConfigError(weights.origin + " is not a recognition network, and only these are written as ONNX");
  auto metadata = metadata_of(weights);
  metadata.erase("format");       // of safetensors
  metadata.erase(kChannelOrder);  // of the weights: the network as it is here takes RGB
  metadata["input"] = "RGB, (x - 127.5) / 127.5";
  const auto network = network_from(weights);
  write_output(real_files(), file, onnx_file(network_as_onnx(*network, name, metadata).graph));
}

}  // namespace

ExitCode run_export(App& app, Words words) {
  std::string from, to = "safetensors", out, centres;
  Options options(
      "Writes the weights of a run or a checkpoint: FaceMAE under the official MAE's keys, recognition networks under insightface's. "
      "Optimizer moments stay behind; class centres are a file of their own. As ONNX, a recognition network is a program that "
      "others can run: input data [batch, 3, 112, 112], RGB, (x - 127.5) / 127.5; output embedding, not normalised.",
      "export --from RUN_OR_CHECKPOINT (--out FILE | --centres FILE) [OPTIONS]");
  options.group("Weights")
      .require("from", from, "RUN, a checkpoint of it, or a file of weights: safetensors or PyTorch's")
      .choice("to", to, {"safetensors", "pt", "onnx"},
              "format to write; pt: a state dict that torch.load(weights_only=True) reads, without metadata; "
              "onnx: a recognition network with its operations")
      .add("out", out, "file to write: the network")
      .add(
          "centres", centres,
          "file to write: the class centres of a run of `facemae recognize` as one tensor, weight [classes, width], by "
          "class");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!out.empty() || !centres.empty(), "give --out, --centres, or both");
  if (!options.finish()) return ExitCode::Done;
  app.alone("export");
  OutputLocks locks("export");
  locks.file("--out", out);
  locks.file("--centres", centres);
  nlohmann::ordered_json result{{"from", from}};
  if (!out.empty()) {
    const Weights weights = read_weights(from);
    if (to == "onnx")
      write_onnx(out, weights);
    else
      write_tensors(to, out, weights.tensors, metadata_of(weights));
    spdlog::info("{}: {} tensors of {}", out, weights.tensors.size(), weights.origin);
    result = {{"tensors", weights.tensors.size()}, {"from", weights.origin}, {"model_hash", weights.hash}};
  }
  if (!centres.empty()) {
    const auto rows = read_class_centres(from);
    write_tensors(to, centres, {{"weight", rows}}, {{"facemae", program_version()}});
    spdlog::info("{}: centres of {} classes, {} values each", centres, rows.size(0), rows.size(1));
    result["classes"] = rows.size(0);
  }
  app.result(result);
  return ExitCode::Done;
}

ExitCode run_import(App& app, Words words) {
  std::string from, network, out;
  bool bgr = false;
  Options options(
      "Checks weights that others made strictly against a network, and writes them with the metadata that the other commands need.",
      "import --weights FILE --network NAME --out FILE");
  std::vector<std::string> names = network_names();
  names.emplace_back("facemae");
  options.group("Weights")
      .require(
          "weights", from,
          "safetensors or a file of PyTorch (.pt, .pth, .ckpt, .bin) with the official keys (insightface's, or MAE's), also "
          "behind `module.`, `model.`, `net.` and the like; what converts other formats is told")
      .choice("network", network, names, "network that the weights belong to; facemae for MAE weights")
      .understood(network_name_now)
      .flag(
          "bgr", bgr,
          "the network was trained on BGR images, as AdaFace's are: the file says so, and who reads it obeys")
      .require("out", out, "file to write");
  options.epilogue(
      "A whole run of arcface_torch becomes one of `facemae recognize`:  facemae import --arcface-torch DIR --help");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!network.empty(), "--network is missing");
  options.check(!bgr || network != "facemae", "--bgr is of recognition networks: leave it out");
  if (!options.finish()) return ExitCode::Done;
  app.alone("import");
  OutputLocks locks("import");
  locks.file("--out", out);
  Weights weights = read_weights(from);
  weights.tensors = without_wrappers(std::move(weights.tensors));
  if (network == "facemae") {
    weights.metadata.erase("network");
    face_mae_from(weights);
  } else {
    network_from(weights, network);
    weights.metadata["network"] = network;
    if (bgr) weights.metadata[kChannelOrder] = "bgr";
  }
  write_safetensors(real_files(), out, weights.tensors, metadata_of(weights));
  spdlog::info("{}: {} tensors, {}", out, weights.tensors.size(), network);
  app.result({{"tensors", weights.tensors.size()}, {"network", network}, {"model_hash", weights.hash}});
  return ExitCode::Done;
}

}  // namespace facemae
