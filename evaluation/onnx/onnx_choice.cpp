#include "evaluation/onnx/onnx_choice.h"

#include <charconv>
#include <map>

#include "core/error.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr const char* kEnding = ".onnx";

[[noreturn]] void refuse(const std::string& word, const std::string& fault) {
  throw ConfigError(
      "--embedder " + word + ": " + fault + "; the form is " + kOnnxForm +
      ", as whoever made the network says it: images of size x size, channels in the order rgb or bgr, "
      "(pixel - mean) / scale of pixels from 0 to 255; mean and scale may be three numbers, 1/2/3");
}

double number_in(const std::string& text, const std::string& word, const std::string& key) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size())
    refuse(word, key + "=" + text + " is no number");
  return value;
}

std::array<double, 3> three_numbers(const std::string& text, const std::string& word,
                                    const std::string& key) {
  const auto parts = split(text, '/');
  if (parts.size() != 1 && parts.size() != 3)
    refuse(word, key + "=" + text + " is neither one number nor three");
  std::array<double, 3> numbers{};
  for (std::size_t c = 0; c < 3; ++c)
    numbers[c] = number_in(parts.size() == 1 ? parts[0] : parts[c], word, key);
  return numbers;
}

}  // namespace

bool is_onnx(const std::string& word) {
  return word.ends_with(kEnding) || word.find(std::string(kEnding) + ":") != std::string::npos;
}

OnnxChoice onnx_choice(const std::string& word) {
  const auto colon = word.rfind(std::string(kEnding) + ":");
  if (colon == std::string::npos) refuse(word, "an ONNX file does not say what its network takes");
  const std::string file = word.substr(0, colon + std::string(kEnding).size());
  std::map<std::string, std::string> said;
  for (const auto& part : split(word.substr(file.size() + 1), ',')) {
    const auto equals = part.find('=');
    const std::string key = part.substr(0, equals);
    if (equals == std::string::npos) refuse(word, "\"" + part + "\" is not KEY=VALUE");
    if (key != "size" && key != "order" && key != "mean" && key != "scale" && key != "flip")
      refuse(word,
             "\"" + key + "\" is unknown" + suggestion(key, {"size", "order", "mean", "scale", "flip"}));
    if (!said.emplace(key, part.substr(equals + 1)).second) refuse(word, key + " is given twice");
  }
  for (const char* key : {"size", "order", "mean", "scale"})
    if (!said.contains(key)) refuse(word, std::string(key) + " is missing");

  OnnxChoice choice{.file = file, .input = {}};
  const double size = number_in(said["size"], word, "size");
  if (!(size >= 8 && size <= 1024) || size != static_cast<int>(size))
    refuse(word, "size=" + said["size"] + " is not a whole number from 8 to 1024");
  choice.input.size = static_cast<int>(size);
  if (said["order"] != "rgb" && said["order"] != "bgr")
    refuse(word, "order=" + said["order"] + " is neither rgb nor bgr");
  choice.input.bgr = said["order"] == "bgr";
  choice.input.mean = three_numbers(said["mean"], word, "mean");
  choice.input.scale = three_numbers(said["scale"], word, "scale");
  for (const double scale : choice.input.scale)
    if (!(scale > 0)) refuse(word, "scale=" + said["scale"] + " is not above 0");
  if (said.contains("flip") && said["flip"] != "yes" && said["flip"] != "no")
    refuse(word, "flip=" + said["flip"] + " is neither yes nor no");
  choice.input.flip = said.contains("flip") && said["flip"] == "yes";
  return choice;
}

}  // namespace facemae
