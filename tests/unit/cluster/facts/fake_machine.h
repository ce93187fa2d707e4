#pragma once
// A machine made of files below a temporary folder, and of calls that a test fills in.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "cluster/facts/machine.h"

namespace facemae {

class FakeMachine {
 public:
  FakeMachine() {
    static int count = 0;
    root_ = std::filesystem::temp_directory_path() /
            ("facemae-facts-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(root_);
    machine.root = root_;
    machine.host = "n1";
    machine.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    machine.calls.run = [this](const std::vector<std::string>& words, std::chrono::seconds) {
      std::string line;
      for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
      const auto found = commands.find(line);
      return found == commands.end() ? std::nullopt : std::optional(found->second);
    };
    machine.calls.space = [](const Path&) {
      return std::optional(DiskSpace{.free = 1 << 30, .inodes = 1000});
    };
    machine.calls.attribute = [](const Path&, const std::string&) { return std::string(); };
    machine.calls.resolve = [](const std::string&) { return Resolved{.addresses = {}, .fault = "unknown"}; };
    machine.calls.source_address = [](const std::string&) { return std::string(); };
    machine.calls.answers = [](const std::string&) { return true; };
    machine.calls.addresses = [] { return std::vector<std::pair<std::string, std::string>>{}; };
    machine.calls.cards = [](std::vector<std::string>&) { return std::vector<Card>{}; };
    machine.calls.user = [] { return static_cast<unsigned>(::geteuid()); };
  }
  ~FakeMachine() { std::filesystem::remove_all(root_); }
  FakeMachine(const FakeMachine&) = delete;
  FakeMachine& operator=(const FakeMachine&) = delete;

  const Path& root() const { return root_; }
  void file(const std::string& path, const std::string& text) const {
    const Path at = machine.at(path);
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at) << text;
  }
  void link(const std::string& path, const std::string& target) const {
    std::filesystem::create_directories(machine.at(path).parent_path());
    std::filesystem::create_symlink(target, machine.at(path));
  }

  Machine machine;
  std::map<std::string, std::string> variables, commands;

 private:
  Path root_;
};

}  // namespace facemae
