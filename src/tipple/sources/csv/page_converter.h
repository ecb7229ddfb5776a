#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/source/source.h"
#include "tipple/sources/csv/page_cutter.h"

namespace tipple::sources::csv {

/// One page of a file and what was left out on the way to it.
struct FilePage {
    extract::ColumnPage page;
    std::vector<extract::SkippedText> skipped;
};

/// What the columns of a file are, as far as its pages have shown it.
struct KnownTypes {
    Types types;
    /// Each column that got a wider type, with the value that asked for it.
    std::vector<std::pair<std::string, std::string>> misfits;
};

/// Understands the records of a file's pages, each for itself: what comes of one depends on the page and on the types that are known. One thread; several of one file do not meet.
class PageConverter {
public:
    /// What is passed outlives it.
    PageConverter(const FileOptions& options, const Layout& layout) : file_(options), layout_(layout) {}

    /// Nothing when the page would change what is known: a column has its first values, or a value does not fit. Throws Error(data) that names line and byte.
    std::optional<FilePage> try_convert(const TextPage& text, const Types& types);
    /// Changes what is known where the page asks for it. Throws the same.
    FilePage convert(const TextPage& text, KnownTypes& known);

private:
    struct BadRow {
        std::size_t row = 0;
        std::string column;
        std::string reason;
    };
    /// `known`: what may be changed; nullptr = nothing.
    std::optional<FilePage> convert(const TextPage& text, const Types& types, KnownTypes* known);
    bool convert_records(const Types& types, KnownTypes* known, FilePage& page);
    bool convert_column(std::size_t column, const Types& types, KnownTypes* known, FilePage& page, std::vector<BadRow>& bad);
    void sort_out(FilePage& page);
    void report(FilePage& page, const Record& record, const std::string& column, const std::string& reason) const;
    void gather(std::size_t column);
    std::string_view raw(const Record& record) const { return text_->text.substr(record.start, record.end - record.start); }

    const FileOptions& file_;
    const Layout& layout_;
    /// Of the page at hand.
    const TextPage* text_ = nullptr;
    std::vector<Record> records_;
    /// Of one column of it, with what was unescaped.
    std::vector<std::string_view> texts_;
    std::vector<std::string> unescaped_;
    std::size_t unescaped_used_ = 0;
};

}  // namespace tipple::sources::csv
