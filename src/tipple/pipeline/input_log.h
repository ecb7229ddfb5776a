#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tipple/io/file_system.h"
#include "tipple/json/value.h"
#include "tipple/source/source.h"

namespace tipple::pipeline {

/// Files that are remembered. Of more that a run reads, it keeps a digest only.
inline constexpr std::size_t noted_inputs_max = 10'000;

/// Which files were loaded by which load, remembered beside the packages of a pipeline. Only a hint for people: it may be lost or deleted
/// without harm, and nothing is decided by it.
class InputLog {
public:
    InputLog(io::FileSystem& files, std::string path);

    /// The load that read exactly this file, if it is known.
    std::optional<std::string> find(const extract::InputFile& input) const;
    void add(const std::vector<extract::InputFile>& inputs, const std::string& load_id);
    void save();

private:
    io::FileSystem& files_;
    std::string path_;
    json::Object entries_;  ///< by path
};

}  // namespace tipple::pipeline
