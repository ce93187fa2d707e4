#include "checkpoint/format/foreign_weights.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kHead = 512;

/// The name of the first member of a zip archive.
std::string_view first_member(std::string_view head) {
  constexpr std::size_t kFixed = 30, kNameLength = 26;
  if (!head.starts_with("PK\3\4") || head.size() < kFixed) return {};
  const auto low = static_cast<unsigned char>(head[kNameLength]),
             high = static_cast<unsigned char>(head[kNameLength + 1]);
  return head.substr(kFixed, std::size_t{low} | std::size_t{high} << 8);
}

bool is_old_torch(std::string_view head, std::string_view) {
  return head.starts_with("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv);
}
bool is_npz(std::string_view head, std::string_view) { return first_member(head).ends_with(".npy"); }
bool is_npy(std::string_view head, std::string_view) { return head.starts_with("\x93NUMPY"); }
bool is_keras(std::string_view head, std::string_view name) {
  return head.starts_with("\x89HDF\r\n\x1a\n") || (name.ends_with(".keras") && head.starts_with("PK"));
}
bool is_onnx(std::string_view head, std::string_view name) {
  return name.ends_with(".onnx") ||
         (head.size() > 3 && head[0] == '\x08' && head[1] > 0 && head[1] < 20 && head[2] == '\x12');
}
bool is_tensorflow(std::string_view head, std::string_view name) {
  return name.ends_with(".index") || name.find(".data-0") != name.npos || name.ends_with("saved_model.pb") ||
         name.ends_with(".ckpt.meta") || (head.size() > 8 && head.substr(4, 4) == "TFL3");
}
bool is_mxnet(std::string_view head, std::string_view name) {
  return name.ends_with(".params") || head.starts_with("\x12\x01\0\0\0\0\0\0"sv);
}
bool is_index(std::string_view head, std::string_view name) {
  return name.ends_with(".index.json") || (head.starts_with("{") && head.find("\"weight_map\"") != head.npos);
}
bool is_pointer(std::string_view head, std::string_view) {
  return head.starts_with("version https://git-lfs");
}
bool is_page(std::string_view head, std::string_view) {
  const auto from = std::min(head.find_first_not_of(" \t\r\n\xEF\xBB\xBF"), head.size());
  std::string start(head.substr(from, 14));
  std::transform(start.begin(), start.end(), start.begin(), [](unsigned char c) { return std::tolower(c); });
  return start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<?xml") ||
         start.starts_with("<head");
}
bool is_packed(std::string_view head, std::string_view) {
  return head.starts_with("\x1f\x8b") || head.starts_with("PK") || head.starts_with("BZh") ||
         head.starts_with(
             "\xfd"
             "7zXZ") ||
         head.starts_with("\x28\xb5\x2f\xfd") || head.starts_with("7z\xbc\xaf") || head.starts_with("Rar!") ||
         (head.size() > 262 && head.substr(257, 5) == "ustar");
}
bool is_pickle(std::string_view head, std::string_view) {
  return head.size() > 1 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
}
bool is_empty(std::string_view head, std::string_view) { return head.empty(); }

constexpr const char* kFromTorch =
    "import torch, safetensors.torch\n"
    "w = torch.load(\"{0}\", map_location=\"cpu\", weights_only=True)  # a state dict, or a dictionary that holds one\n"
    "safetensors.torch.save_file({{k: v.clone().contiguous() for k, v in w.get(\"state_dict\", w.get(\"model\", w)).items()}}, \"{1}\")";
constexpr const char* kFromNpz =
    "import numpy, safetensors.numpy\n"
    "w = numpy.load(\"{0}\")\n"
    "safetensors.numpy.save_file({{k: numpy.ascontiguousarray(w[k]) for k in w.files}}, \"{1}\")";
constexpr const char* kFromOnnx =
    "import onnx, onnx.numpy_helper, safetensors.numpy\n"
    "w = onnx.load(\"{0}\").graph.initializer  # right only if the exporter kept names and batch norms\n"
    "safetensors.numpy.save_file({{t.name: onnx.numpy_helper.to_array(t) for t in w}}, \"{1}\")";
constexpr const char* kFromMxnet =
    "import mxnet, safetensors.numpy\n"
    "w = mxnet.nd.load(\"{0}\")  # the names are MXNet's: they must become those of the PyTorch network\n"
    "safetensors.numpy.save_file({{k.split(\":\")[-1]: v.asnumpy() for k, v in w.items()}}, \"{1}\")";
constexpr const char* kFromParts =
    "import glob, safetensors.torch\n"
    "w = {{k: v for f in glob.glob(\"*-of-*.safetensors\") for k, v in safetensors.torch.load_file(f).items()}}\n"
    "safetensors.torch.save_file(w, \"{1}\")";

struct Kind {
  bool (*is)(std::string_view head, std::string_view name);
  const char* what;
  const char* python;  ///< what converts it, with {0} the file and {1} the new one; nullptr: `what` says all
};
constexpr Kind kKinds[] = {
    {is_empty, "is empty: was it downloaded to its end?", nullptr},
    {is_pointer, "is a pointer of Git LFS, not the file itself: fetch it (git lfs pull)", nullptr},
    {is_page, "is a web page: what was downloaded is not the file but what the site said instead", nullptr},
    {is_old_torch, "is a file of PyTorch (torch.save before 1.6)", kFromTorch},
    {is_npz, "is an archive of NumPy (.npz)", kFromNpz},
    {is_npy, "is a single array of NumPy (.npy), not the weights of a network by name", nullptr},
    {is_keras,
     "is a file of Keras or HDF5, whose names and layouts are not PyTorch's: load it into the PyTorch network, and save that by safetensors.torch.save_file",
     nullptr},
    {is_index, "lists the parts of weights that are cut into several files", kFromParts},
    {is_tensorflow,
     "belongs to a TensorFlow checkpoint, whose names and layouts are not PyTorch's: load it into the PyTorch network, and save that by safetensors.torch.save_file",
     nullptr},
    {is_mxnet, "is a file of MXNet (.params)", kFromMxnet},
    {is_onnx, "is an ONNX graph", kFromOnnx},
    {is_packed, "is an archive or compressed: unpack it, and name the file of weights in it", nullptr},
    {is_pickle, "is a Python pickle, as old programs of PyTorch, Paddle and others save them", kFromTorch},
};

std::string start_of(const Path& path) {
  const InputFile file(path);
  std::string head(std::min<std::uint64_t>(file.size(), kHead), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(head)));
  return head;
}

/// A folder as Hugging Face has them: its file is meant.
std::string of_folder(const Path& folder) {
  std::vector<std::string> found;
  std::error_code unseen;
  for (const auto& entry : std::filesystem::directory_iterator(folder, unseen))
    if (const Path ending = entry.path().extension();
        ending == ".safetensors" || ending == ".pt" || ending == ".pth")
      found.push_back(entry.path().string());
  if (found.empty()) return "";
  std::sort(found.begin(), found.end());
  return "is a folder that holds weights: name the file, such as " + found.front();
}

}  // namespace

std::string foreign_weights(std::string_view head, const Path& path) {
  const std::string name = path.filename().string();
  if (head.size() > 8 && head[8] == '{' && head[0] != '{') return "";  // safetensors: a length, then JSON
  for (const auto& kind : kKinds) {
    if (!kind.is(head, name)) continue;
    if (kind.python == nullptr) return kind.what;
    const std::string converted = Path(name).replace_extension(".safetensors").string();
    return fmt::format("{}. This Python converts it to safetensors, which is read here:\n", kind.what) +
           fmt::format(fmt::runtime(kind.python), path.string(), converted);
  }
  return "";
}

std::string foreign_weights(const Path& path) {
  try {
    return std::filesystem::is_directory(path) ? of_folder(path) : foreign_weights(start_of(path), path);
  } catch (const std::exception&) {  // what cannot be read is told by whoever reads it in full
    return "";
  }
}

}  // namespace facemae
