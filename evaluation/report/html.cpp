#include "evaluation/report/html.h"

#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "core/text.h"
#include "evaluation/report/findings_report.h"
#include "evaluation/report/report.h"

namespace facemae {
namespace {

std::string with_interval(const Figure& figure) {
  if (std::isnan(figure.value)) return "–";
  return fmt::format("{} <small>{} to {}</small>", percent(figure.value), percent(figure.low),
                     percent(figure.high));
}

std::string plain_number(double value) {
  if (std::isnan(value)) return "–";
  return value == std::floor(value) ? human_count(static_cast<std::uint64_t>(value))
                                    : fmt::format("{:.1f}", value);
}

std::string name_of(const AttackReport& attack) {
  const std::string name = escape_html(attack.released.attacker);
  return attack.control.empty() ? name
                                : fmt::format("{} <small>on {}</small>", name, escape_html(attack.control));
}

std::string header_row(const std::vector<std::string>& columns) {
  std::string html = "<thead><tr>";
  for (const std::string& column : columns) html += "<th scope=\"col\">" + escape_html(column) + "</th>";
  return html + "</tr></thead>";
}

/// One table for one question: which Retrieval of a LinkageResult answers it?
std::string retrieval_table(const std::vector<const AttackReport*>& attacks,
                            Retrieval LinkageResult::*question) {
  std::string html = "<div class=\"scroll\"><table>" +
                     header_row({"attacker", "", "rank 1", "chance", "ceiling", "rank 5", "rank 10",
                                 "median rank", "mAP", "probes", "people"}) +
                     "<tbody>";
  for (const AttackReport* attack : attacks) {
    const Retrieval& found = attack->released.*question;
    const Retrieval& ceiling = attack->ceiling.*question;
    html +=
        fmt::format("<tr><td>{}</td><td class=\"bar\">{}</td><td>{}</td><td>{}</td><td>{}</td>",
                    name_of(*attack), figure_svg(found.rank1, found.chance_rank1, ceiling.rank1.value),
                    with_interval(found.rank1), percent(found.chance_rank1), percent(ceiling.rank1.value));
    html += fmt::format("<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        percent(found.rank5.value), percent(found.rank10.value),
                        plain_number(found.median_rank), percent(found.mean_average_precision),
                        human_count(static_cast<std::uint64_t>(found.probes)),
                        human_count(static_cast<std::uint64_t>(found.people)));
  }
  return html + "</tbody></table></div>\n";
}

std::string verification_table(const std::vector<const AttackReport*>& attacks) {
  std::vector<double> rates;
  for (const AttackReport* attack : attacks) {
    for (const auto& at : attack->released.verification) {
      if (std::find(rates.begin(), rates.end(), at.far) == rates.end()) rates.push_back(at.far);
    }
  }
  if (rates.empty()) return "";
  std::sort(rates.rbegin(), rates.rend());
  std::vector<std::string> columns{"attacker"};
  for (const double far : rates) {
    columns.push_back(fmt::format("TAR at FAR {:g}", far));
    columns.emplace_back("ceiling");
  }
  const auto cell = [](const LinkageResult& result, double far) {
    for (const auto& at : result.verification) {
      if (at.far == far) return with_interval(at.tar);
    }
    return std::string("–");
  };
  std::string html =
      "<h2>Are these two the same person?</h2><p>Verification of a released picture against another real "
      "image of the person: accepted true pairs (TAR) at a fixed share of accepted false pairs (FAR), "
      "which is also the chance level.</p><div class=\"scroll\"><table>" +
      header_row(columns) + "<tbody>";
  for (const AttackReport* attack : attacks) {
    html += "<tr><td>" + name_of(*attack) + "</td>";
    for (const double far : rates) {
      html += "<td>" + cell(attack->released, far) + "</td><td>" + cell(attack->ceiling, far) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string attack_sections(const std::vector<AttackReport>& attacks) {
  std::vector<const AttackReport*> real, controls;
  for (const AttackReport& attack : attacks) (attack.control.empty() ? real : controls).push_back(&attack);
  const std::string key =
      "<div class=\"key\"><span class=\"own\">figure, with its 95 % interval by person</span><span "
      "class=\"chance\">chance</span>"
      "<span class=\"ceiling\">ceiling: the same attacker on real photographs</span></div>";
  std::string html;
  if (!real.empty()) {
    html +=
        "<h2>Can a released picture be matched to its own original?</h2><p>Rank 1: the share of released "
        "pictures "
        "whose original comes first among all real images. At chance, nothing was found by this attacker; "
        "another "
        "may still find it.</p>" +
        key + retrieval_table(real, &LinkageResult::same_image);
    html +=
        "<h2>Can the person be found in another photograph?</h2><p>The original itself is taken out of the "
        "gallery."
        "</p>" +
        key + retrieval_table(real, &LinkageResult::same_identity);
    html += verification_table(real);
    html +=
        "<h2>Scores that the attackers see</h2><p>The further the coloured curves lie from the grey one, the "
        "more a "
        "picture gives away. Each curve is drawn to its own peak.</p>"
        "<div class=\"key\"><span class=\"own\">its own original</span><span class=\"mated\">the person, "
        "another "
        "image</span><span class=\"other\">other people</span></div><div class=\"cards\">";
    for (const AttackReport* attack : real) {
      html += fmt::format("<section class=\"card\"><h3>{}</h3><p>{}</p>{}</section>\n", name_of(*attack),
                          escape_html(attack->released.knowledge), histogram_svg(attack->released));
    }
    html += "</div>\n";
  }
  if (!controls.empty()) {
    html +=
        "<h2>Positive controls</h2><p>The same attackers on a known weak protection. An attacker that finds "
        "nothing "
        "here and nothing above has proved nothing.</p>" +
        retrieval_table(controls, &LinkageResult::same_image);
  }
  return html;
}

std::string table_section(const Report::Table& table) {
  std::string html = "<h2>" + escape_html(table.heading) + "</h2>";
  if (!table.note.empty()) html += "<p>" + escape_html(table.note) + "</p>";
  html += (table.prose ? "<div class=\"scroll prose\"><table>" : "<div class=\"scroll\"><table>") +
          header_row(table.columns) + "<tbody>";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (const std::string& cell : row) html += "<td>" + escape_html(cell) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string drawing_section(const Report::Drawing& drawing) {
  return "<h2>" + escape_html(drawing.heading) + "</h2><p>" + escape_html(drawing.note) +
         "</p><div class=\"scroll\">" + drawing.svg + "</div>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  // The policy makes the browser itself refuse whatever would come from outside.
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>" +
      escape_html(report.title) + "</title><style>" + kReportStyle + "</style></head>\n<body>\n";
  if (!report.warning.empty()) {
    html += "<div class=\"warning\" role=\"alert\">" + escape_html(report.warning) + "</div>\n";
  }
  html += "<main><h1>" + escape_html(report.title) + "</h1>\n";
  if (!report.facts.empty()) {
    html += "<dl class=\"facts\">";
    for (const auto& [name, value] : report.facts) {
      html += "<div><dt>" + escape_html(name) + "</dt><dd>" + escape_html(value) + "</dd></div>";
    }
    html += "</dl>\n";
  }
  for (const Report::Drawing& drawing : report.drawings) html += drawing_section(drawing);
  for (const Report::Table& table : findings_tables(report.findings, report.metadata))
    html += table_section(table);
  html += attack_sections(report.attacks);
  for (const Report::Table& table : report.tables) html += table_section(table);
  if (!report.pictures.empty()) {
    html += "<h2>Pictures</h2><div class=\"pictures\">";
    for (const ReportPicture& picture : report.pictures) {
      const auto png = encode_png(picture.image);
      html += fmt::format(
          "<figure><img width=\"{}\" height=\"{}\" alt=\"{}\" src=\"data:image/png;base64,{}\"/>"
          "<figcaption>{}</figcaption></figure>\n",
          picture.image.width, picture.image.height, escape_html(picture.caption), base64(png),
          escape_html(picture.caption));
    }
    html += "</div>\n";
  }
  return html + "</main>\n</body></html>\n";
}

}  // namespace facemae
