#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/io/decompress.h"
#include "tipple/source/source.h"
#include "tipple/sources/csv/survey.h"

namespace tipple::sources::csv {

class FilePass;

/// A file that is to be read.
struct Input {
    std::string name;
    /// What lies between fields by the file's format.
    std::optional<std::string> format_delimiter;
    /// The file from its start, decompressed and in UTF-8, at every call.
    std::function<std::unique_ptr<io::InputStream>()> open;
    std::shared_ptr<const extract::OriginColumns> origin_columns;
};

/// Reads the CSV files of one resource, one after another, as columns that are matched by the names in the files' headers.
///
/// What a column is, is found out once for all files. In a file with a value that does not fit, the column gets a type that holds all its values there, at last text, and
/// the file is read again; those of other files stay as they are.
class Reader {
public:
    Reader(const Options& options, const extract::ResourceContext& context, extract::Output& out) : options_(options), context_(context), out_(out) {}

    /// Finds out what files of that format are like, before one of them is read.
    void look_at(const std::vector<Beginning>& files, const std::optional<std::string>& format_delimiter);
    bool has_looked_at(const std::optional<std::string>& format_delimiter) const { return surveys_.contains(format_delimiter.value_or("")); }
    /// `on_read` is called after each page. What is written may be taken back by Output::restart_input.
    void read(const Input& file, const std::function<void(const io::InputStream&)>& on_read);

private:
    /// False when a column got another type, in `types`: all of the file has to be read again.
    bool try_read(const Input& file, const Survey& survey, Types& types, const std::function<void(const io::InputStream&)>& on_read);
    void read_together(FilePass& pass, std::size_t helpers, const std::function<void()>& read_pages) const;

    const Options& options_;
    const extract::ResourceContext& context_;
    extract::Output& out_;
    std::map<std::string, Survey> surveys_;  ///< by the format's delimiter
};

}  // namespace tipple::sources::csv
