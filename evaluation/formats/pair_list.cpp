#include "evaluation/formats/pair_list.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/formats/pair_lines.h"

namespace facemae {
namespace {

using Lines = std::vector<PairLine>;

/// Which of the kinds of docs/FORMATS.md a list is.
enum class ListKind { Labelled, People, Halves };

/// Puts the pairs of a list together.
class Reading {
 public:
  Reading(const PairLines& lines, const Path& path) : lines_(lines), path_(path) {}

  ListedPairs result() {
    if (lines_.lines.empty())
      throw DataError("the pairs " + path_.string() + " are none: the file has no line of a pair");
    list_.store_digest = lines_.store_digest;
    switch (kind()) {
      case ListKind::Labelled:
        read_labelled();
        break;
      case ListKind::People:
        read_people();
        break;
      case ListKind::Halves:
        read_halves();
        break;
    }
    if (list_.folds == 0) list_.folds = natural_folds(list_.pairs.size());
    return std::move(list_);
  }

 private:
  ListKind kind() const {
    const Lines& lines = lines_.lines;
    if (lines_.columns || lines_.folds > 0) return ListKind::Labelled;
    const auto& first = lines[0].words;
    if (!lines_.counts.empty())
      return first.size() > 1 && !whole_number(first[1]) ? ListKind::Labelled : ListKind::People;
    if (first.size() == 2) return ListKind::Halves;
    const bool by_name = !whole_number(first[0]);
    const bool persons =
        std::any_of(lines.begin(), lines.end(), [](const auto& line) { return line.words.size() == 4; });
    if (first.size() == 4 || (by_name && persons)) return ListKind::People;
    return by_name && !answered_at(0) && !answered_at(2) ? ListKind::People : ListKind::Labelled;
  }

  /// Whether this word of every line is an answer.
  bool answered_at(std::size_t column) const {
    return std::all_of(lines_.lines.begin(), lines_.lines.end(), [&](const auto& line) {
      return line.words.size() > column && same_or_not(line.words[column]);
    });
  }

  void read_labelled() {
    const bool answer_first =
        !lines_.columns && !answered_at(2) && answered_at(0) && !whole_number(lines_.lines[0].words[1]);
    const auto [a, b, same] = lines_.columns ? *lines_.columns
                              : answer_first ? std::array<std::size_t, 3>{1, 2, 0}
                                             : std::array<std::size_t, 3>{0, 1, 2};
    for (const auto& line : lines_.lines) {
      if (line.words.size() <= std::max({a, b, same}) || (!lines_.columns && line.words.size() != 3) ||
          line.words[a].empty() || line.words[b].empty())
        refuse_pair_line(line, path_, "");
      const auto answer = same_or_not(line.words[same]);
      if (!answer) refuse_pair_line(line, path_, ", whose answer is \"" + line.words[same] + "\"");
      list_.pairs.push_back({image(line.words[a], {}, line), image(line.words[b], {}, line), *answer});
    }
    list_.folds = lines_.folds;
    if (list_.folds > 0 && list_.pairs.size() % static_cast<std::size_t>(list_.folds) != 0)
      throw DataError(
          fmt::format("{} has {} pairs, which {} folds do not divide: the file was cut short; make it again",
                      path_.string(), list_.pairs.size(), list_.folds));
  }

  /// LFW's: a person and two numbers, or two persons and a number each.
  void read_people() {
    for (const auto& line : lines_.lines) {
      const auto& words = line.words;
      const bool matched = words.size() == 3;
      const auto first = words.size() > 2 ? whole_number(words[1]) : std::nullopt,
                 second = words.size() > 2 ? whole_number(words[matched ? 2 : 3]) : std::nullopt;
      if (!first || !second) refuse_pair_line(line, path_, ", in a list of people and numbers");
      const std::string& other = words[matched ? 0 : 2];
      list_.pairs.push_back({image(words[0], first, line), image(other, second, line), other == words[0]});
    }
    const auto& counts = lines_.counts;
    const std::uint64_t pairs = list_.pairs.size();
    if (counts.size() == 2) {
      const auto folds = counts[0], each = counts[1];
      if (folds == 0 || each == 0 || pairs / 2 / folds != each || pairs != 2 * folds * each)
        throw DataError(fmt::format(
            "the first line of {} announces {} folds of {} pairs of each kind, {} pairs follow: the file "
            "was cut short or edited; mend that line or leave it out",
            path_.string(), folds, each, pairs));
      if (folds > 1) list_.folds = static_cast<int>(folds);
    } else if (counts.size() == 1 && counts[0] != pairs && (pairs % 2 != 0 || counts[0] != pairs / 2)) {
      throw DataError(fmt::format(
          "the first line of {} announces {} pairs of each kind, {} pairs follow: the file was cut short or "
          "edited; mend that line or leave it out",
          path_.string(), counts[0], pairs));
    }
    if (list_.folds == 0) deal_kinds();
  }

  /// CALFW's and CPLFW's: the two images of a pair on lines of their own, each with the answer, or with the fold
  /// (counted from 1) of a pair that is the same person; the others are 0.
  void read_halves() {
    const Lines& lines = lines_.lines;
    std::map<std::uint64_t, std::vector<ListedPairs::Pair>> by_mark;
    std::uint64_t highest = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto& line = lines[i];
      if (line.words.size() != 2) refuse_pair_line(line, path_, ", where an image and a number should be");
      if (i % 2 == 0) continue;
      if (lines[i - 1].words[1] != line.words[1])
        refuse_pair_line(
            line, path_,
            fmt::format(", which does not go with line {}: the two images of a pair have one number",
                        lines[i - 1].number));
      const auto mark = same_or_not(line.words[1]) ? std::uint64_t{*same_or_not(line.words[1])}
                                                   : whole_number(line.words[1]).value_or(0);
      highest = std::max(highest, mark);
      list_.pairs.push_back(
          {image(lines[i - 1].words[0], {}, lines[i - 1]), image(line.words[0], {}, line), mark > 0});
      by_mark[mark].push_back(list_.pairs.back());
    }
    if (lines.size() % 2 != 0)
      refuse_pair_line(lines.back(), path_, ", an image without the other one of its pair");
    if (highest < 2) return deal_kinds();
    const auto& others = by_mark[0];
    const std::size_t each = by_mark[1].size(), rest = others.size() / highest;
    list_.pairs.clear();
    for (std::uint64_t fold = 1; fold <= highest; ++fold) {
      const auto found = by_mark.find(fold);
      if (found == by_mark.end() || found->second.size() != each || others.size() != rest * highest)
        throw DataError(fmt::format(
            "{} has {} folds of pairs of the same person, of which fold {} has {} and fold 1 has {}, and {} "
            "pairs of different people: the folds should be equal; was the file cut short or edited?",
            path_.string(), highest, fold, found == by_mark.end() ? 0 : found->second.size(), each,
            others.size()));
      list_.pairs.insert(list_.pairs.end(), found->second.begin(), found->second.end());
      const auto begin = others.begin() + static_cast<std::ptrdiff_t>((fold - 1) * rest);
      list_.pairs.insert(list_.pairs.end(), begin, begin + static_cast<std::ptrdiff_t>(rest));
    }
    list_.folds = static_cast<int>(highest);
  }

  /// A list that has one kind of pair first and then the other has no folds in its order: each kind is dealt to them.
  void deal_kinds() {
    auto& pairs = list_.pairs;
    const auto by_kind = [&](bool same) { return [same](const auto& pair) { return pair.same == same; }; };
    const bool kind = pairs[0].same;
    if (!std::is_partitioned(pairs.begin(), pairs.end(), by_kind(kind))) return;
    const auto firsts = static_cast<std::size_t>(std::count_if(pairs.begin(), pairs.end(), by_kind(kind)));
    if (firsts == pairs.size()) return;
    const std::size_t in_both = std::gcd(firsts, pairs.size() - firsts);
    list_.folds = natural_folds(in_both > 1 ? in_both : pairs.size());
    const auto fold_of = [&](std::size_t i, std::size_t count) {
      return i * static_cast<std::size_t>(list_.folds) / count;
    };
    std::vector<ListedPairs::Pair> dealt;
    for (std::size_t fold = 0; fold < static_cast<std::size_t>(list_.folds); ++fold)
      for (std::size_t i = 0; i < pairs.size(); ++i)
        if ((i < firsts ? fold_of(i, firsts) : fold_of(i - firsts, pairs.size() - firsts)) == fold)
          dealt.push_back(pairs[i]);
    pairs = std::move(dealt);
  }

  static int natural_folds(std::size_t pairs) {
    for (std::size_t folds = 10; folds > 1; --folds)
      if (pairs >= folds && pairs % folds == 0) return static_cast<int>(folds);
    return static_cast<int>(std::min<std::size_t>(10, pairs));
  }

  std::size_t image(const std::string& name, std::optional<std::uint64_t> number, const PairLine& line) {
    const std::string key = number ? name + '\n' + std::to_string(*number) : name;
    const auto [at, fresh] = known_.emplace(key, list_.images.size());
    if (fresh) list_.images.push_back({name, number, line.number});
    return at->second;
  }

  const PairLines& lines_;
  const Path& path_;
  ListedPairs list_;
  std::unordered_map<std::string, std::size_t> known_;
};

}  // namespace

ListedPairs parse_pair_list(std::string_view text, const Path& path) {
  return Reading(read_pair_lines(text, path), path).result();
}

ListedPairs read_pair_list(const Path& path) {
  const std::string text = read_file(path);
  return parse_pair_list(text, path);
}

}  // namespace facemae
