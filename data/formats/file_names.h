#pragma once
// What the name of a file or folder alone says about it. Pure.
#include <string>
#include <string_view>

namespace facemae {

/// Begins with a dot: nobody put it there to be packed (.git, .ipynb_checkpoints, .DS_Store, ._x.jpg).
bool is_hidden_name(std::string_view name);
/// Made by an operating system or a storage server beside what people keep there (__MACOSX, @eaDir, lost+found,
/// System Volume Information, Thumbs.db, ...).
bool is_system_name(std::string_view name);
/// The ending in small letters, with its dot (".jpg"); "" if there is none, or none that is one (longer than 8).
std::string ending_of(std::string_view name);
/// Ends as pictures do, be it a kind that is read or not (.jpg, .webp, .heic, ...), in any case.
bool has_picture_ending(std::string_view name);

}  // namespace facemae
