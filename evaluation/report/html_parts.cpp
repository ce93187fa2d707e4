#include <sodium.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/log.h"
#include "evaluation/report/html.h"

namespace facemae {
namespace {

/// One distribution as a closed step curve, as high as the drawing whatever its peak.
std::string curve(const std::vector<double>& bins, const char* kind, double left, double right,
                  double x_scale, double base, double height) {
  const double peak = bins.empty() ? 0 : *std::max_element(bins.begin(), bins.end());
  if (peak <= 0) return "";
  const double width = 2.0 / static_cast<double>(bins.size());
  std::string path = fmt::format("M0 {:.1f}", base);
  for (std::size_t b = 0; b < bins.size(); ++b) {
    const double from = -1 + width * static_cast<double>(b);
    if (from + width <= left + 1e-9 || from >= right - 1e-9) continue;
    const double y = base - bins[b] / peak * height;
    path += fmt::format("L{:.1f} {:.1f}L{:.1f} {:.1f}", (from - left) * x_scale, y,
                        (from + width - left) * x_scale, y);
  }
  return fmt::format("<g class=\"{}\"><path class=\"curve\" d=\"{}L{:.1f} {:.1f}Z\"/></g>", kind, path,
                     (right - left) * x_scale, base);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

std::string base64(Bytes bytes) {
  constexpr int kind = sodium_base64_VARIANT_ORIGINAL;
  std::string out(sodium_base64_ENCODED_LEN(bytes.size(), kind), '\0');  // with a zero at the end
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), kind);
  out.pop_back();
  return out;
}

std::string percent(double proportion) {
  if (std::isnan(proportion)) return "–";
  const double value = 100 * proportion;
  return value == 0 || value >= 9.995 ? fmt::format("{:.1f} %", value) : fmt::format("{:.2f} %", value);
}

std::string histogram_svg(const LinkageResult& result) {
  constexpr double width = 320, height = 120, base = 128;
  // Only the part of the axis where something lies, in whole bins of the widest histogram.
  double left = 1, right = -1;
  for (const auto* bins : {&result.own_histogram, &result.mated_histogram, &result.other_histogram}) {
    const double step = bins->empty() ? 0 : 2.0 / static_cast<double>(bins->size());
    for (std::size_t b = 0; b < bins->size(); ++b) {
      if ((*bins)[b] < 1e-6) continue;
      left = std::min(left, -1 + step * static_cast<double>(b));
      right = std::max(right, -1 + step * static_cast<double>(b + 1));
    }
  }
  if (left >= right) return "";
  const double x_scale = width / (right - left);
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" width=\"{:.0f}\" role=\"img\"><title>Distributions of cosine "
      "similarity, {}"
      "</title>",
      width, base + 18, width, escape_html(result.attacker));
  svg += curve(result.other_histogram, "other", left, right, x_scale, base, height);
  svg += curve(result.mated_histogram, "mated", left, right, x_scale, base, height);
  svg += curve(result.own_histogram, "own", left, right, x_scale, base, height);
  svg += fmt::format("<line class=\"axis\" x1=\"0\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>", base, width);
  svg += fmt::format("<text x=\"0\" y=\"{0}\">{1:.2f}</text>", base + 14, left);
  svg += fmt::format("<text x=\"{0}\" y=\"{1}\" text-anchor=\"middle\">cosine similarity</text>", width / 2,
                     base + 14);
  svg += fmt::format("<text x=\"{0}\" y=\"{1}\" text-anchor=\"end\">{2:.2f}</text>", width, base + 14, right);
  return svg + "</svg>";
}

std::string figure_svg(const Figure& figure, double chance, double ceiling) {
  constexpr double width = 160;
  if (std::isnan(figure.value)) return "";
  const auto x = [](double v) { return 1 + std::clamp(v, 0.0, 1.0) * (width - 2); };
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {0:.0f} 18\" width=\"{0:.0f}\" height=\"18\" role=\"img\"><title>{1}, 95 % "
      "interval {2} to "
      "{3}</title><rect class=\"track\" x=\"0\" y=\"3\" width=\"{0:.0f}\" height=\"12\" rx=\"3\"/>",
      width, percent(figure.value), percent(figure.low), percent(figure.high));
  svg += fmt::format("<rect class=\"value\" x=\"0\" y=\"3\" width=\"{:.1f}\" height=\"12\" rx=\"3\"/>",
                     std::max(1.5, figure.value * width));
  const auto tick = [&](const char* kind, double at) {
    return fmt::format("<line class=\"{0}\" x1=\"{1:.1f}\" y1=\"0\" x2=\"{1:.1f}\" y2=\"18\"/>", kind, x(at));
  };
  if (!std::isnan(ceiling)) svg += tick("tick-ceiling", ceiling);
  if (!std::isnan(chance)) svg += tick("tick-chance", chance);
  svg += fmt::format("<line class=\"whisker\" x1=\"{:.1f}\" y1=\"9\" x2=\"{:.1f}\" y2=\"9\"/>", x(figure.low),
                     x(figure.high));
  return svg + "</svg>";
}

}  // namespace facemae
