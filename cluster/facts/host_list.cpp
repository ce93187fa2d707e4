#include "cluster/facts/host_list.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

#include "cluster/facts/reading.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

/// A name whose last digits count: "rack2-n07.local" is "rack2-n", 07, ".local".
struct Numbered {
  std::string before, digits, after;
};
Numbered taken_apart(const std::string& host) {
  const auto dot = std::min(host.find('.'), host.size());
  auto first = dot;
  while (first > 0 && std::isdigit(static_cast<unsigned char>(host[first - 1])) != 0 && dot - first < 9)
    --first;
  return {host.substr(0, first), host.substr(first, dot - first), host.substr(dot)};
}

/// "1-3,7" for numbers of equal width, else each by itself: "9,10".
std::string ranges(std::vector<std::string> digits) {
  std::sort(digits.begin(), digits.end(), [](const auto& a, const auto& b) {
    return std::pair(*leading_number(a), a.size()) < std::pair(*leading_number(b), b.size());
  });
  const auto follows = [](const std::string& a, const std::string& b) {
    const bool padded = a.size() == b.size() || (a[0] != '0' && b[0] != '0');
    return padded && *leading_number(b) == *leading_number(a) + 1;
  };
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < digits.size();) {
    std::size_t j = i;
    while (j + 1 < digits.size() && follows(digits[j], digits[j + 1])) ++j;
    parts.push_back(i == j ? digits[i] : digits[i] + "-" + digits[j]);
    i = j + 1;
  }
  return join(parts, ",");
}

constexpr std::size_t kMostHosts = 65536;

/// Adds "n[1-3]x" to `hosts`; false when it is none.
bool expand_one(const std::string& text, std::vector<std::string>& hosts) {
  const auto open = text.find('['), close = text.find(']');
  if (open == std::string::npos) {
    hosts.push_back(text);
    return !text.empty() && close == std::string::npos;
  }
  if (close == std::string::npos || close < open) return false;
  for (const auto& part : split(text.substr(open + 1, close - open - 1), ',')) {
    const auto hyphen = part.find('-');
    const std::string from = part.substr(0, hyphen);
    const auto first = leading_number(from);
    const auto last = hyphen == std::string::npos ? first : leading_number(part.substr(hyphen + 1));
    if (!first || !last || *first < 0) return false;
    for (auto number = *first; number <= *last; ++number) {
      if (hosts.size() >= kMostHosts) return false;
      hosts.push_back(
          fmt::format("{}{:0{}}{}", text.substr(0, open), number, from.size(), text.substr(close + 1)));
    }
  }
  return true;
}

}  // namespace

std::string fold_hosts(std::vector<std::string> hosts) {
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> numbered;
  for (const auto& host : hosts) {
    const auto parts = taken_apart(host);
    numbered[{parts.before, parts.after}].push_back(parts.digits);
  }
  std::vector<std::string> texts;
  for (auto& [around, digits] : numbered) {
    const auto plain = std::erase(digits, "");
    texts.insert(texts.end(), plain, around.first + around.second);
    if (digits.empty()) continue;
    texts.push_back(around.first + (digits.size() == 1 ? digits[0] : "[" + ranges(digits) + "]") +
                    around.second);
  }
  return join(texts, ",");
}

std::vector<std::string> expand_hosts(const std::string& text) {
  std::vector<std::string> hosts;
  std::string one;
  int depth = 0;
  for (const char c : text + ",") {
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (c == ',' && depth == 0) {
      if (!expand_one(one, hosts)) return {};
      one.clear();
    } else {
      one += c;
    }
  }
  return depth == 0 ? hosts : std::vector<std::string>{};
}

}  // namespace facemae
