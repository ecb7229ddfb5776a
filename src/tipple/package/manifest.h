#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/package/package.h"

namespace tipple::package {

/// Size and checksum of a document that lies beside the manifest.
struct DocumentFile {
    std::string name;
    std::uint64_t bytes = 0;
    std::uint64_t checksum = 0;
};

/// manifest.json as values.
struct ManifestFile {
    Manifest manifest;
    Fence fence;
    std::vector<DocumentFile> documents;
};

std::string manifest_text(const ManifestFile& file);

/// Checks members, types and the document's own checksum. `path` is for messages. Throws
/// Error(corrupt), and Error(usage) when a newer version has written it.
ManifestFile parse_manifest(std::string_view text, const std::string& path);

}  // namespace tipple::package
