#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/io/file_system.h"
#include "tipple/json/value.h"

namespace tipple::pipeline {

/// What the runs of one pipeline did, one JSON document each, kept on disk for people and for tools. Nothing is decided by it: it may be deleted
/// without harm. The documents: docs/internals/run-records.md.
class RunHistory {
public:
    static constexpr std::size_t kept_max = 200;

    /// `folder`: that of the pipeline.
    RunHistory(io::FileSystem& files, const std::string& folder);

    /// Writes the record of one run, and deletes the oldest ones beyond `kept_max`.
    void save(const json::Object& record);
    /// The newest ones first. Documents that cannot be read are left out.
    std::vector<json::Object> newest(std::size_t count) const;
    /// The run of which `id` is the beginning of its name. Throws Error(usage) when it is that of several.
    std::optional<json::Object> find(std::string_view id) const;

private:
    std::vector<std::string> paths() const;
    std::optional<json::Object> read(const std::string& path) const;

    io::FileSystem& files_;
    std::string folder_;
};

}  // namespace tipple::pipeline
