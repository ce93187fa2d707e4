#pragma once
// The verbs of `facemae store`. Each gets the words after the verb.
#include "app/command.h"
#include "data/store/store_facts.h"

namespace facemae {

ExitCode store_list(App& app, Words words);
ExitCode store_verify(App& app, Words words);
ExitCode store_stage(App& app, Words words);
ExitCode store_split(App& app, Words words);
ExitCode store_subset(App& app, Words words);
ExitCode store_remove(App& app, Words words);
ExitCode store_compact(App& app, Words words);
ExitCode store_join(App& app, Words words);

/// What a file of identities holds, for --help.
inline constexpr const char* kIdentitiesHelp =
    "file of identities, one name per line (a label number in a released store, which has no names)";

/// For --json.
nlohmann::ordered_json json_of(const StoreFacts& facts);
/// Says what was made, in the log and as the command's result, which `more` joins.
void report_made(App& app, const std::vector<std::string>& folders, nlohmann::ordered_json more = {});

}  // namespace facemae
