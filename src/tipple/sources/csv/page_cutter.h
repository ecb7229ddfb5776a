#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
    /// Bytes of text that may be cut before their turn, where others convert pages too.
    std::size_t ahead_bytes_max = 0;
};

/// What all pages of a file have in common.
struct Layout {
    std::string file;  ///< for messages
    Dialect dialect;
    std::vector<std::string> names;  ///< of its columns
};

/// Some records of a file, found and not yet understood.
struct TextPage {
    /// Keeps what `text` shows; shared with pages that were cut from the same read, and not to be touched.
    std::shared_ptr<std::string> holder;
    std::string_view text;
    std::size_t start = 0;  ///< in the text: where the first one may begin
    Records records;
    std::uint64_t bytes_before = 0;    ///< of the file, before the text
    std::uint64_t records_before = 0;  ///< of the file, before these
};

/// Cuts one file into pages, by what the file is and never by how much a read returned. One thread; what it has cut may be read on others.
class PageCutter {
public:
    /// `input` and what `options` refers to outlive it.
    PageCutter(io::InputStream& input, const FileOptions& options);

    /// Before the first page: what columns there are. False when the file has no record at all. Throws Error(data).
    bool read_header();
    const Layout& layout() const { return layout_; }
    /// The next page into `page`, whose memory is used again. False at the end. Throws Error(data) for a record that is too large.
    bool cut(TextPage& page);

private:
    Scanner::Rest rest() const { return is_at_end_ ? Scanner::Rest::nothing : Scanner::Rest::more; }
    void fill(std::size_t size);
    bool refill();
    bool skip_first_lines();
    bool take_header(const Record& record);
    void hand_over(TextPage& page);

    io::InputStream& input_;
    const FileOptions& file_;
    Layout layout_;
    Scanner scanner_;
    /// Pages that were cut from it still show it: what they show is not written to.
    std::shared_ptr<std::string> text_;
    std::shared_ptr<std::string> spare_;
    std::size_t at_ = 0;        ///< in the text: what lies before is done with
    std::uint64_t before_ = 0;  ///< bytes of the file before the text
    bool is_at_end_ = false;
    std::uint64_t lines_to_skip_ = 0;
    std::uint64_t records_before_ = 0;
    Records records_;
};

}  // namespace tipple::sources::csv
