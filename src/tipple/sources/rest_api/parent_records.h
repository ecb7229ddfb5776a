#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/io/file_system.h"
#include "tipple/json/value.h"

namespace tipple::sources::rest {

/// What requests of children need of their parents' records, in a file: parents are read once, and there may be any number of them. Written first, then
/// read as often as wanted. One thread.
class ParentRecords {
public:
    /// `paths`: what is kept of each record, as it was written in the settings.
    ParentRecords(io::FileSystem& files, std::string path, std::vector<std::string> paths);

    const std::vector<std::string>& paths() const { return paths_; }
    /// One value for each path.
    void write(const std::vector<std::optional<json::Value>>& values);
    /// No more come.
    void close();

    class Reader {
    public:
        explicit Reader(const ParentRecords& records);
        /// Values in the order of the paths, null where there is none; nothing at the end.
        std::optional<json::Array> next();

    private:
        std::unique_ptr<io::ReadFile> file_;
        std::string buffer_;
        std::size_t used_ = 0;
    };

private:
    void flush();

    io::FileSystem& files_;
    std::string path_;
    std::vector<std::string> paths_;
    std::unique_ptr<io::WriteFile> file_;
    std::string buffer_;
};

}  // namespace tipple::sources::rest
