#include "evaluation/report/scatter.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "core/log.h"
#include "evaluation/report/html.h"

namespace facemae {
namespace {

constexpr double kWidth = 900, kHeight = 460;                        // of the drawing
constexpr double kLeft = 64, kRight = 150, kTop = 16, kBottom = 48;  // margins; names stand in the right one
constexpr double kLeast = 1e-3, kLineHeight = 14;

struct ScatterScale {
  double low = 0, high = 1, step = 0.2;  ///< of y
  double y(double value) const {
    return kTop + (high - std::clamp(value, low, high)) / (high - low) * (kHeight - kTop - kBottom);
  }
  static double x(double value) {
    const double part = std::log10(std::clamp(value, kLeast, 1.0) / kLeast) / -std::log10(kLeast);
    return kLeft + part * (kWidth - kLeft - kRight);
  }
};

/// Whole steps that hold all figures and limits, at most ten of them.
ScatterScale scale_of(const std::vector<ScatterPoint>& points) {
  double low = 1, high = 0;
  for (const auto& point : points)
    for (const double value : {point.y.value, point.y.low, point.y.high}) {
      if (std::isnan(value)) continue;
      low = std::clamp(value, 0.0, low);
      high = std::clamp(value, high, 1.0);
    }
  ScatterScale scale;
  for (const double step : {0.01, 0.02, 0.05, 0.1}) {
    scale = {std::floor(low / step) * step, std::ceil(high / step) * step, step};
    if (scale.high - scale.low < 10.5 * step) break;
  }
  if (scale.high <= scale.low) scale.high = scale.low + scale.step;
  return scale;
}

std::string line(const char* kind, double x1, double y1, double x2, double y2) {
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", kind, x1,
                     y1, x2, y2);
}

std::string text(double x, double y, const char* anchor, const std::string& words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", x, y, anchor,
                     escape_html(words));
}

std::string axes(const ScatterScale& scale, const std::string& x_label, const std::string& y_label) {
  const double bottom = kHeight - kBottom, right = kWidth - kRight;
  std::string svg;
  for (const double x : {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0}) {
    svg += line("grid", ScatterScale::x(x), kTop, ScatterScale::x(x), bottom);
    svg += text(ScatterScale::x(x), bottom + 16, "middle",
                (x == kLeast ? "≤ " : "") + fmt::format("{:g} %", 100 * x));
  }
  for (double y = scale.low; y < scale.high + scale.step / 2; y += scale.step) {
    svg += line("grid", kLeft, scale.y(y), right, scale.y(y));
    svg += text(kLeft - 8, scale.y(y) + 4, "end", fmt::format("{:.0f} %", 100 * y));
  }
  svg += line("axis", kLeft, bottom, right, bottom) + line("axis", kLeft, kTop, kLeft, bottom);
  svg += text((kLeft + right) / 2, kHeight - 8, "middle", x_label);
  return svg +
         fmt::format("<text transform=\"translate(14 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
                     (kTop + bottom) / 2, escape_html(y_label));
}

std::string mark(const ScatterPoint& point, const ScatterScale& scale) {
  const double x = ScatterScale::x(point.x.value), y = scale.y(point.y.value);
  std::string svg;
  if (!std::isnan(point.x.low) && !std::isnan(point.x.high))
    svg += line("whisker", ScatterScale::x(point.x.low), y, ScatterScale::x(point.x.high), y);
  if (!std::isnan(point.y.low) && !std::isnan(point.y.high))
    svg += line("whisker", x, scale.y(point.y.low), x, scale.y(point.y.high));
  return svg +
         fmt::format(
             "<circle class=\"point\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\"><title>{}: {}, {}</title></circle>",
             x, y, escape_html(point.name), percent(point.x.value), percent(point.y.value));
}

/// Names in the right margin, from top to bottom in the order of the points, each with a line to its point.
std::string names(const std::vector<ScatterPoint>& points, const ScatterScale& scale) {
  const double edge = kWidth - kRight + 12;
  std::vector<double> heights;
  for (const auto& point : points) {
    const double wanted = scale.y(point.y.value) + 4;
    heights.push_back(heights.empty() ? wanted : std::max(wanted, heights.back() + kLineHeight));
  }
  double limit = kHeight - kBottom;
  for (std::size_t i = heights.size(); i-- > 0; limit = heights[i] - kLineHeight)
    heights[i] = std::min(heights[i], limit);
  std::string svg;
  for (std::size_t i = 0; i < points.size(); ++i) {
    svg += line("leader", ScatterScale::x(points[i].x.value), scale.y(points[i].y.value), edge - 4,
                heights[i] - 4);
    svg += text(edge, heights[i], "start", points[i].name);
  }
  return svg;
}

}  // namespace

std::string scatter_svg(std::span<const ScatterPoint> points, const std::string& x_label,
                        const std::string& y_label) {
  std::vector<ScatterPoint> shown;
  std::copy_if(points.begin(), points.end(), std::back_inserter(shown), [](const ScatterPoint& point) {
    return !std::isnan(point.x.value) && !std::isnan(point.y.value);
  });
  if (shown.empty()) return "";
  std::stable_sort(shown.begin(), shown.end(),
                   [](const auto& a, const auto& b) { return a.y.value > b.y.value; });
  const ScatterScale scale = scale_of(shown);
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" role=\"img\"><title>{2} against {3}</title>",
      kWidth, kHeight, escape_html(y_label), escape_html(x_label));
  svg += axes(scale, x_label, y_label) + names(shown, scale);
  for (const auto& point : shown) svg += mark(point, scale);
  return svg + "</svg>";
}

}  // namespace facemae
