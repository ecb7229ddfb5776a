#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/io/decompress.h"
#include "tipple/source/source.h"
#include "tipple/sources/csv/scanner.h"
#include "tipple/sources/csv/survey.h"

namespace tipple::sources::csv {

/// What a file is read with.
struct FileOptions {
    const Options& options;
    const Survey& survey;
    /// Added to its records; nullptr = nothing.
    const extract::OriginColumns* origin_columns = nullptr;
    std::size_t page_bytes = 0;
    std::size_t record_bytes_max = 0;
    /// What is no record is left out instead of ending the read.
    bool skips_bad_records = false;
};

/// One page of a file and what was left out on the way to it.
struct FilePage {
    extract::ColumnPage page;
    std::vector<extract::SkippedText> skipped;
};

/// One reading of one file, page by page. Pages are cut by what the file is, never by how much a read returned.
class FilePass {
public:
    /// `types`: of its columns, as far as they are known; the rest is found out from the first page in which a column has values. `input` and what
    /// `options` refers to outlive the pass.
    FilePass(io::InputStream& input, const FileOptions& options, Types types);

    /// Nothing at the end. Throws Error(data) that names line and byte. Once there are misfits, pages are not complete: what follows is only looked at.
    std::optional<FilePage> next();
    /// A value did not fit the type of its column, which was no declared one.
    bool has_misfits() const { return !misfits_.empty(); }
    /// As far as they are known now, and wide enough for the misfits.
    const Types& types() const { return types_; }
    /// Each column that got a wider type, with the value that asked for it.
    const std::vector<std::pair<std::string, std::string>>& misfits() const { return misfits_; }

private:
    struct BadRow {
        std::size_t row = 0;
        std::string column;
        std::string reason;
    };

    void fill(std::size_t size);
    bool refill();
    bool skip_first_lines();
    bool read_header();
    bool take_header(const Record& record);
    void drop_consumed();
    std::optional<FilePage> make_page();
    void sort_out(FilePage& page);
    void report(FilePage& page, const Record& record, const std::string& column, const std::string& reason);
    void gather(std::size_t column);
    void convert(FilePage& page);
    void convert_column(std::size_t column, FilePage& page, std::vector<BadRow>& bad);
    std::string_view raw(const Record& record) const { return std::string_view(text_).substr(record.start, record.end - record.start); }

    io::InputStream& input_;
    const FileOptions& file_;
    Types types_;
    std::vector<std::pair<std::string, std::string>> misfits_;

    Dialect dialect_;
    Scanner scanner_;
    std::string text_;
    std::size_t at_ = 0;          ///< in the text: what lies before is done with
    std::uint64_t before_ = 0;    ///< bytes of the file before the text
    bool is_at_end_ = false;
    std::uint64_t lines_to_skip_ = 0;
    bool has_header_ = false;
    std::vector<std::string> names_;
    std::uint64_t records_before_ = 0;
    Records records_;
    /// Of one column of a page, with what was unescaped.
    std::vector<std::string_view> texts_;
    std::vector<std::string> unescaped_;
    std::size_t unescaped_used_ = 0;
};

}  // namespace tipple::sources::csv
