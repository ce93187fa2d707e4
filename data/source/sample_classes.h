#pragma once
// Whose the images of WebDataset tars are. A sample is all members that share a key, their path up to the first dot
// of the file name: its .cls, or else its .json, gives the class of its images. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/checksum.h"

namespace facemae {

/// Filled with the members of one archive after the other, images counted over all of them. The members of a sample
/// may come in any order, if it lies in no folder; else they follow one another. `path`: a member_path().
class SampleClasses {
 public:
  /// Is it a member that add_label() wants?
  static bool is_label(std::string_view path);
  void add_image(std::string_view path);
  /// What gives no class (an empty .cls, -1, a .json without "label", "class" or "identity") is passed over.
  void add_label(std::string_view path, Bytes content);
  void end_archive();

  /// Are classes the identities, not folders? So it is when an image lies in no folder, or when images of
  /// several classes lie in one folder of an archive.
  bool needed() const { return some_in_no_folder_ || some_folder_is_mixed_; }
  /// "" unless a class has images in several folders of an archive: then which, for when folders are the identities.
  const std::string& scattered() const { return scattered_; }
  /// The first image without a class, rather one in no folder.
  std::optional<std::uint64_t> first_without() const;
  std::uint32_t class_of(std::uint64_t image) const { return classes_.at(image); }
  /// Digits of the largest class when all are numbers (1 when there is none), else 0.
  std::size_t width() const;
  /// Names of the classes: as they are when `width` is 0, else numbers padded with zeros, which sort as numbers.
  std::vector<std::string> names(std::size_t width) const;

 private:
  static constexpr std::uint32_t kNone = ~0U;
  struct Sample {
    std::vector<std::uint64_t> images;
    std::uint32_t label = kNone;
    bool by_cls = false;  ///< rather than by .json
  };
  struct Seen {
    std::uint64_t archive = 0;  ///< in which `what`, a class of a folder or a folder of a class, was met last
    std::uint32_t what = kNone;
  };
  void go_to(std::string_view path);
  void settle();

  std::vector<std::uint32_t> classes_, folders_of_;  ///< of each image
  std::vector<std::string> names_, folders_;         ///< of classes; of folders, ended by a slash
  std::vector<Seen> folder_labels_, class_places_;
  std::unordered_map<std::string, std::uint32_t> numbers_, folder_numbers_;  ///< of names_ and folders_
  std::string key_;
  Sample sample_;                                    ///< of key_
  std::unordered_map<std::string, Sample> waiting_;  ///< in no folder, and not complete yet
  std::uint64_t archive_ = 1;
  bool some_in_no_folder_ = false, some_folder_is_mixed_ = false;
  std::string scattered_;
};

}  // namespace facemae
