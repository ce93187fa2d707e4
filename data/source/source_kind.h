#pragma once
// The kinds of sources that a user may name, in steps: one rank lists the images once, into a catalogue; all ranks
// read them by it.
#include <memory>
#include <span>
#include <vector>

#include "data/source/catalogue.h"
#include "data/source/catalogue_writer.h"
#include "data/source/source.h"

namespace facemae {

/// What a command says about where its images are.
struct SourcePlaces {
  std::vector<Path> in;
  Path root = {};  ///< of a list: where relative paths begin; "": beside the list
  FolderRules rules = {};
  bool show_progress = true;
};

/// A row of the table in source.cpp. Errors are those of the kind's function in data/source/source.h.
struct SourceKind {
  const char* name;
  const char* help;
  /// The files or folders that hold images: those given, or those found there.
  std::vector<Path> (*parts)(const SourcePlaces& places);
  /// Names every image in catalogue.parts().
  void (*list)(const SourcePlaces& places, CatalogueWriter& catalogue);
  /// Reads the images by their places in catalogue.listed().parts.
  std::unique_ptr<ImageSource> (*open)(const SourcePlaces& places, Catalogue catalogue);
  const char* only_one = "";  ///< why `in` must be one place; "": it may be several
  bool has_root = false;      ///< `root` means something
  bool has_rules = false;     ///< `rules` mean something
};
std::span<const SourceKind> source_kinds();

void list_folders(const SourcePlaces& places, CatalogueWriter& catalogue);
std::unique_ptr<ImageSource> open_folders(const SourcePlaces& places, Catalogue catalogue);

std::vector<Path> find_zips(const SourcePlaces& places);
void list_zips(const SourcePlaces& places, CatalogueWriter& catalogue);
std::unique_ptr<ImageSource> open_zips(const SourcePlaces& places, Catalogue catalogue);
std::vector<Path> find_tars(const SourcePlaces& places);
void list_tars(const SourcePlaces& places, CatalogueWriter& catalogue);
std::unique_ptr<ImageSource> open_tars(const SourcePlaces& places, Catalogue catalogue);

std::vector<Path> find_rec(const SourcePlaces& places);  ///< and its .idx, if there is one
void list_rec(const SourcePlaces& places, CatalogueWriter& catalogue);
std::unique_ptr<ImageSource> open_rec(const SourcePlaces& places, Catalogue catalogue);

void list_lists(const SourcePlaces& places, CatalogueWriter& catalogue);
std::unique_ptr<ImageSource> open_lists(const SourcePlaces& places, Catalogue catalogue);

}  // namespace facemae
