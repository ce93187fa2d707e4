#pragma once
// What a disk may hold after a crash. RecordingFiles does real operations and notes them; CrashModel plays a
// prefix of the notes and draws states that a file system without ordering guarantees may show afterwards:
// data that was not synced is lost, torn or zeros; names that were not synced with their folder are there or
// not, each on its own.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/random/keys.h"

namespace facemae::test {

struct Operation {
  enum class Kind { Create, Append, Write, Sync, Rename, Remove, MakeFolder, SyncFolder, Announce };
  Kind kind;
  std::string path, other;  ///< relative to the root; `other` is a rename's target or what was written
};

class RecordingFiles final : public FileSystem {
 public:
  explicit RecordingFiles(Path root) : root_(std::move(root)) {}
  std::vector<Operation> operations;

  std::unique_ptr<OutputFile> create(const Path& path) override {
    note(Operation::Kind::Create, path);
    return std::make_unique<Output>(*this, path, real_files().create(path));
  }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    note(Operation::Kind::Append, path);
    return std::make_unique<Output>(*this, path, real_files().open_append(path));
  }
  void rename(const Path& from, const Path& to) override {
    note(Operation::Kind::Rename, from, relative(to));
    real_files().rename(from, to);
  }
  void remove(const Path& path) override {
    if (std::filesystem::exists(path)) note(Operation::Kind::Remove, path);
    real_files().remove(path);
  }
  void make_folder(const Path& path) override {
    if (!std::filesystem::exists(path)) note(Operation::Kind::MakeFolder, path);
    real_files().make_folder(path);
  }
  void sync_folder(const Path& path) override { note(Operation::Kind::SyncFolder, path); }
  /// The caller was told that this step is safe.
  void announce(std::uint64_t step) {
    operations.push_back({Operation::Kind::Announce, "", std::to_string(step)});
  }

 private:
  class Output final : public OutputFile {
   public:
    Output(RecordingFiles& owner, Path path, std::unique_ptr<OutputFile> file)
        : owner_(owner), path_(std::move(path)), file_(std::move(file)) {}
    void write(Bytes bytes) override {
      owner_.note(Operation::Kind::Write, path_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      file_->write(bytes);
    }
    void sync() override { owner_.note(Operation::Kind::Sync, path_); }
    void close() override { file_->close(); }

   private:
    RecordingFiles& owner_;
    Path path_;
    std::unique_ptr<OutputFile> file_;
  };
  std::string relative(const Path& path) const {
    return path == root_ ? "" : path.lexically_relative(root_).string();
  }
  void note(Operation::Kind kind, const Path& path, std::string other = "") {
    operations.push_back({kind, relative(path), std::move(other)});
  }
  Path root_;
};

class CrashModel {
 public:
  void play(const Operation& op) {
    using Kind = Operation::Kind;
    const std::string folder = Path(op.path).parent_path();
    if (op.kind == Kind::Create || (op.kind == Kind::Append && !now_[folder].contains(op.path))) {
      change(folder, {op.path, std::make_shared<File>()});
    } else if (op.kind == Kind::MakeFolder) {
      auto made = std::make_shared<File>();
      made->folder = true;
      change(folder, {op.path, made});
    } else if (op.kind == Kind::Write) {
      now_[folder].at(op.path)->content += op.other;
    } else if (op.kind == Kind::Sync) {
      auto& file = *now_[folder].at(op.path);
      file.durable = file.content;
    } else if (op.kind == Kind::Rename) {
      const auto file = now_[folder].at(op.path);
      change(folder, {op.other, file, op.path});
    } else if (op.kind == Kind::Remove) {
      change(folder, {op.path, nullptr});
    } else if (op.kind == Kind::SyncFolder) {
      durable_[op.path] = now_[op.path];
      pending_[op.path].clear();
    }
  }

  enum class Style { AllLost, AllThere, NamesOnly, Drawn };
  /// Relative paths with contents; folders end in "/".
  std::map<std::string, std::string> crash(Style style, Draws& draws) const {
    std::map<std::string, std::string> found;
    std::map<const File*, std::string> contents;  // one file may show under two names
    for (const auto& [folder, names] : now_) {
      auto entries = durable_.contains(folder) ? durable_.at(folder) : Names();
      if (const auto changes = pending_.find(folder); changes != pending_.end())
        for (const auto& change : changes->second)
          if (style == Style::AllThere || style == Style::NamesOnly ||
              (style == Style::Drawn && draws.below(2) == 1))
            apply(entries, change);
      for (const auto& [path, file] : entries) {
        if (file->folder) {
          found[path + "/"];
          continue;
        }
        if (!contents.contains(file.get())) contents[file.get()] = after_crash(*file, style, draws);
        found[path] = contents[file.get()];
      }
    }
    // What lies in a folder that is not there is not there.
    std::erase_if(found, [&](const auto& entry) {
      for (Path folder =
               Path(entry.first.ends_with("/") ? entry.first.substr(0, entry.first.size() - 1) : entry.first)
                   .parent_path();
           !folder.empty(); folder = folder.parent_path())
        if (!found.contains(folder.string() + "/")) return true;
      return false;
    });
    return found;
  }

 private:
  struct File {
    std::string content, durable;
    bool folder = false;
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  struct Change {
    std::string path;
    std::shared_ptr<File> file;  ///< none: removed
    std::string from = "";       ///< of a rename
  };
  static void apply(Names& names, const Change& change) {
    if (!change.from.empty()) names.erase(change.from);
    if (change.file)
      names[change.path] = change.file;
    else
      names.erase(change.path);
  }
  void change(const std::string& folder, const Change& change) {
    apply(now_[folder], change);
    pending_[folder].push_back(change);
  }
  static std::string after_crash(const File& file, Style style, Draws& draws) {
    if (style == Style::AllThere) return file.content;
    if (style != Style::Drawn) return file.durable;
    const std::size_t kept = file.durable.size();
    switch (draws.below(4)) {
      case 0:
        return file.durable;
      case 1:
        return file.content;
      case 2:
        return file.content.substr(0, kept + draws.below(file.content.size() - kept + 1));
      default:
        return file.durable + std::string(file.content.size() - kept, '\0');
    }
  }

  std::map<std::string, Names> now_, durable_;          ///< by folder
  std::map<std::string, std::vector<Change>> pending_;  ///< not synced with their folder
};

/// Puts a state on a real disk.
inline void materialise(const std::map<std::string, std::string>& state, const Path& root) {
  for (const auto& [path, content] : state) {
    if (path.ends_with("/")) {
      std::filesystem::create_directories(root / path);
      continue;
    }
    std::filesystem::create_directories((root / path).parent_path());
    auto out = real_files().create(root / path);
    out->write(bytes_of(content));
    out->close();
  }
}

}  // namespace facemae::test
