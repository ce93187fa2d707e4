#pragma once
// Reads a JSON object field by field: whatever is missing, of another type, out of its range, unknown or there twice is a
// fault, and all faults are told together.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace facemae {

/// Parses `text`; a key that an object has twice is a fault, since nobody can know which one counts. Throws ConfigError
/// naming `origin` when it is no JSON object.
nlohmann::json parse_strictly(const std::string& text, const std::string& origin,
                              std::vector<std::string>& faults);

/// One object. Each reader notes its key as known, and returns a value that can be used even after a fault.
class StrictFields {
 public:
  /// `place` names the object in faults, "" the whole document. `value` and `faults` outlive this.
  StrictFields(const nlohmann::json& value, std::string place, std::vector<std::string>& faults);

  bool has(const std::string& name) const;
  double number(const std::string& name, double lowest, double highest, std::optional<double> otherwise = {});
  std::int64_t count(const std::string& name, std::int64_t lowest,
                     std::optional<std::int64_t> otherwise = {});
  bool flag(const std::string& name, std::optional<bool> otherwise = {});
  /// One of `allowed`; any text when it is empty.
  std::string text(const std::string& name, const std::vector<std::string>& allowed = {},
                   const std::optional<std::string>& otherwise = {});
  /// As text; one word stands for a list of one.
  std::vector<std::string> texts(const std::string& name, const std::vector<std::string>& allowed = {},
                                 const std::optional<std::vector<std::string>>& otherwise = {});
  StrictFields object(const std::string& name);
  /// The objects of a list.
  std::vector<StrictFields> objects(const std::string& name, bool may_lack = false);
  std::string place_of(const std::string& name) const;
  void fault(const std::string& what) { faults_->push_back(what); }
  /// Tells keys that nothing has read. To be called once, after all of them.
  void no_others();

 private:
  const nlohmann::json* find(const std::string& name, bool may_lack);
  void expected(const std::string& name, const std::string& what);
  std::string word(const nlohmann::json& value, const std::string& name,
                   const std::vector<std::string>& allowed);

  const nlohmann::json* value_;
  std::string place_;
  std::vector<std::string>* faults_;
  std::vector<std::string> known_;
};

}  // namespace facemae
