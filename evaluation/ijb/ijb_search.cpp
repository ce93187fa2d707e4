// The lists of IJB's 1:N protocol: read_ijb_search() of ijb_meta.h.
#include <algorithm>
#include <cctype>
#include <unordered_map>

#include "core/text.h"
#include "evaluation/ijb/ijb_meta.h"
#include "evaluation/ijb/template_ids.h"
#include "evaluation/ijb/words.h"

namespace facemae {
namespace {

struct Member {
  std::uint32_t at = 0;  ///< a template
  std::string subject;
  std::uint64_t line = 0;
};

bool begins_with(const std::string& field, std::string_view word) {
  const std::string trimmed = trim(field);
  return trimmed.size() >= word.size() &&
         std::equal(word.begin(), word.end(), trimmed.begin(),
                    [](char a, char b) { return a == std::toupper(static_cast<unsigned char>(b)); });
}

/// Templates with their persons, each once, however many lines name it.
std::vector<Member> read_members(TextLines& lines, const IjbFaces& faces) {
  std::string_view line;
  std::vector<std::string> fields;
  if (next_line_of_words(lines, line)) fields = split(line, ',');
  if (fields.size() < 2 || !begins_with(fields[0], "TEMPLATE") || !begins_with(fields[1], "SUBJECT"))
    throw DataError(lines.place() +
                    ": a heading TEMPLATE,SUBJECT is expected, with other columns after these");
  std::vector<Member> members;
  std::unordered_map<std::uint32_t, std::size_t> known;
  while (next_line_of_words(lines, line)) {
    fields = split(line, ',');
    if (fields.size() < 2) throw DataError(lines.place() + ": a template and its person are expected");
    Member member{
        position_of_template(
            faces, number_of_word<std::int64_t>(trim(fields[0]), lines, "a template's number"), lines),
        trim(fields[1]), lines.number()};
    const auto [at, fresh] = known.emplace(member.at, members.size());
    if (fresh)
      members.push_back(std::move(member));
    else if (members[at->second].subject != member.subject)
      throw DataError(fmt::format("{}: the template is of person {}, in line {} of person {}", lines.place(),
                                  member.subject.substr(0, 80), members[at->second].line,
                                  members[at->second].subject.substr(0, 80)));
  }
  if (members.empty()) throw DataError(lines.place() + ": the list has no templates");
  return members;
}

}  // namespace

IjbSearch read_ijb_search(std::vector<TextLines> galleries, TextLines probes, const IjbFaces& faces) {
  IjbSearch search;
  std::unordered_map<std::string, std::uint32_t> gallery_of;
  for (auto& list : galleries)
    for (const auto& member : read_members(list, faces)) {
      if (!gallery_of.emplace(member.subject, static_cast<std::uint32_t>(search.gallery.size())).second)
        throw DataError(fmt::format("{}: person {} is in the galleries twice, but a probe has one mate",
                                    list.place(member.line), member.subject.substr(0, 80)));
      search.gallery.push_back(member.at);
    }
  for (const auto& member : read_members(probes, faces)) {
    const auto mate = gallery_of.find(member.subject);
    if (mate == gallery_of.end())
      throw DataError(fmt::format("{}: person {} is in no gallery, but a probe has one mate",
                                  probes.place(member.line), member.subject.substr(0, 80)));
    search.probes.push_back(member.at);
    search.mates.push_back(mate->second);
  }
  return search;
}

}  // namespace facemae
