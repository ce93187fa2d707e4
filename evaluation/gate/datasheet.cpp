#include "evaluation/gate/datasheet.h"

#include <cmath>
#include <vector>

#include "core/log.h"
#include "core/text.h"
#include "evaluation/gate/release_package.h"

namespace facemae {
namespace {

struct Question {
  const char* text;
  std::string answer;  ///< "": only people can answer it
};
struct Section {
  const char* heading;
  std::vector<Question> questions;
};

std::string headline_of(const Candidate& candidate) {
  const auto& headline = candidate.findings.headline;
  if (!headline.is_object() || !headline.contains("naming_odds")) return "The report has no headline.";
  const auto& odds = headline.at("naming_odds");
  if (!odds.value("value", nlohmann::json()).is_number()) return "The headline could not be measured.";
  return fmt::format(
      "The worst attack of the audit ({}, {}) names a person rightly with odds of {:.2f} % (95 % interval {:.2f} to {:.2f} %). "
      "This bounds the attacks that were tried, no others.",
      headline.value("attack", "?"), headline.value("attacker", "?"), 100 * odds.value("value", 0.0),
      100 * odds.value("low", 0.0), 100 * odds.value("high", 1.0));
}

std::string unmet(const Candidate& candidate) {
  std::string text;
  for (const VerdictRow& row : candidate.verdict.rows)
    if (row.gate && row.ruling != Ruling::Pass)
      text += fmt::format("{}{}{} {} is {}{}", text.empty() ? "" : "; ", row.metric,
                          row.attack.empty() ? "" : " of", row.attack, name_of(row.ruling),
                          row.help.empty() ? "" : " (" + row.help + ")");
  return text.empty() ? "Every requirement of the policy was met." : "Not met: " + text + ".";
}

std::vector<Section> sections(const Candidate& candidate, const std::string& verdict) {
  const auto& policy = candidate.policy;
  return {
      {"Why it exists",
       {{"For which task was the set made?", ""},
        {"Who made it, and on whose behalf?", ""},
        {"Who paid for it?", ""}}},
      {"What is in it",
       {{"What does one item show?",
         "A face rebuilt by a decoder that saw parts of real photographs only; store/RELEASE.md says which and how."},
        {"How much is there?",
         fmt::format("{} pictures of {} x {} pixels in {} classes.", human_count(candidate.images),
                     candidate.image_size, candidate.image_size,
                     human_count(static_cast<std::uint64_t>(candidate.identities)))},
        {"Which labels does it have?",
         "A class number for each picture, in an order that only the secret of the release knows."},
        {"Is it a sample, and of whom? Which groups are rare in it or missing?", ""},
        {"Can people be recognised from it?", headline_of(candidate)},
        {"Might it reveal what is sensitive about people, such as origin, health or belief?", ""},
        {"What is known to be wrong with it?", unmet(candidate)}}},
      {"Where the photographs came from",
       {{"How were the photographs gathered, by whom, and when?", ""},
        {"Were the people asked, or told? How can they object?", ""},
        {"Which legal basis was there for gathering, and which for making this set?", ""},
        {"Was the effect on the people examined (such as a data protection impact assessment)?", ""}}},
      {"How it was processed",
       {{"What was done to the photographs?",
         "Each face was masked, encoded and decoded by FaceMAE; decoder output alone was kept (store/RELEASE.md)."},
        {"Where are the originals and the links, and who can reach them?",
         policy.threat.holder.empty() ? "" : "As the policy says: " + policy.threat.holder + "."}}},
      {"What it is for",
       {{"What has it been used for already?", ""},
        {"What must it not be used for?", ""},
        {"Who may get it?", "The policy is for: " + policy.recipient + "."}}},
      {"How it is given out",
       {{"Under which licence?", candidate.source_licence.empty()
                                     ? ""
                                     : "Licence of the source: " + candidate.source_licence +
                                           " Statement of the policy: " + policy.licence_statement},
        {"What was decided, and by which rule?",
         fmt::format("{}. Policy \"{}\", digest {}, decided on {}.", verdict, policy.name, policy.digest,
                     candidate.today)}}},
      {"Who looks after it",
       {{"Who answers questions and complaints?", ""},
        {"Until when does the decision hold?",
         policy.valid_until + "; the risk has to be looked at anew before."},
        {"How does a person get out of it?",
         "A new release is made without the person, and recipients are told to delete this one. Copies cannot be called back."}}},
  };
}

}  // namespace

std::string datasheet(const Candidate& candidate, const std::string& verdict) {
  std::string body;
  int open = 0, all = 0;
  for (const Section& section : sections(candidate, verdict)) {
    body += fmt::format("\n## {}\n", section.heading);
    for (const Question& question : section.questions) {
      ++all;
      open += question.answer.empty() ? 1 : 0;
      body += fmt::format(
          "\n**{}**\n\n{}\n", question.text,
          question.answer.empty() ? "**OPEN**: to be answered by the person who decides." : question.answer);
    }
  }
  return fmt::format(
      "# Data sheet\n\n**Verdict: {}**\n\n"
      "{} of {} questions are open: the program cannot answer them.\n"
      "The answers given here are what the program measured or was told; they are no legal opinion and no promise of privacy.\n{}",
      verdict, open, all, body);
}

}  // namespace facemae
