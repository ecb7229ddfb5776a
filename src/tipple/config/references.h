#pragma once

#include <string>
#include <vector>

#include "tipple/config/node.h"
#include "tipple/config/settings.h"
#include "tipple/io/file_system.h"

namespace tipple::config {

/// Where references lead.
struct ReferenceContext {
    const Environment& environment;
    /// What `${secret:…}` names, by path.
    const Node& secrets;
    /// The file of the secrets as the user would name it, and whether it is there.
    std::string secrets_name;
    bool has_secrets_file = false;
    io::FileSystem& files;
    /// Relative paths of `${file:…}` start here.
    std::string folder;
};

/// A copy of the setting in which `${env:NAME}`, `${secret:a.b}` and `${file:PATH}`, each with an optional `:-default`, are replaced wherever they
/// stand in a text. What they bring is secret. `path`: the keys that lead to `node`. What cannot be replaced is told to `problems`, with what to set.
Node resolve_references(const Node& node, const std::vector<std::string>& path, const ReferenceContext& context, Problems& problems);

}  // namespace tipple::config
