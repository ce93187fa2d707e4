#pragma once
// Pieces of the report page. to_html itself is declared in evaluation/report/report.h.
#include <span>
#include <string>
#include <string_view>

#include "core/checksum.h"
#include "evaluation/linkage/linkage.h"

namespace facemae {

/// Text for element content and quoted attributes: & < > " ' become entities; control characters
/// that HTML forbids go.
std::string escape_html(std::string_view text);
/// RFC 4648, with padding.
std::string base64(Bytes bytes);
/// "71.8 %", "0.04 %"; a dash for NaN.
std::string percent(double proportion);
/// The three score distributions of an attack over one axis, as inline SVG coloured by the page's style.
std::string histogram_svg(const LinkageResult& result);
/// One row's bar: the figure with its interval, ticks for chance and ceiling, as inline SVG; 0..100 % from
/// left to right.
std::string figure_svg(const Figure& figure, double chance, double ceiling);

/// The style sheet of the page.
extern const char* const kReportStyle;

}  // namespace facemae
