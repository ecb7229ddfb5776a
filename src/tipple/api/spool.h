#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tipple/api/record.h"
#include "tipple/io/file_system.h"

namespace tipple::api {

/// Pages of records in a file, to be read again by those who transform them. One thread; written first, then read as often as wanted.
class Spool {
public:
    Spool(io::FileSystem& files, std::string path);

    void write(const Records& page);
    /// No more pages come.
    void close();

    /// Reads from the first page on.
    class Reader {
    public:
        Reader(io::FileSystem& files, const Spool& spool);
        /// Nothing at the end.
        std::optional<Records> next();

    private:
        std::unique_ptr<io::ReadFile> file_;
        std::string text_;
    };

private:
    std::string path_;
    std::unique_ptr<io::WriteFile> file_;
};

}  // namespace tipple::api
