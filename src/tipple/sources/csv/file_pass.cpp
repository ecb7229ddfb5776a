#include "tipple/sources/csv/file_pass.h"

#include <algorithm>
#include <utility>

#include "tipple/core/text.h"
#include "tipple/sources/csv/header.h"
#include "tipple/sources/origin_columns.h"

namespace tipple::sources::csv {

namespace {

/// Rows handed over at once: about a page.
constexpr std::size_t records_max = 16'384;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

}  // namespace

FilePass::FilePass(io::InputStream& input, const FileOptions& file, Types types)
    : input_(input), file_(file), types_(std::move(types)), dialect_(file.survey.dialect), scanner_(dialect_), lines_to_skip_(file.options.skip_lines) {
    fill(file_.page_bytes);
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
}

/// Reads until the text has `size` bytes or the file ends.
void FilePass::fill(std::size_t size) {
    text_.reserve(size + 1);
    while (text_.size() < size && !is_at_end_) {
        const std::size_t old = text_.size();
        text_.resize(size);
        const std::size_t got = input_.read(text_.data() + old, size - old);
        text_.resize(old + got);
        is_at_end_ = got == 0;
    }
}

void FilePass::drop_consumed() {
    before_ += at_;
    text_.erase(0, at_);
    at_ = 0;
}

/// More text behind a record that is not whole. False when there is none; throws when the record is larger than a record may be.
bool FilePass::refill() {
    if (is_at_end_) return false;
    drop_consumed();
    if (text_.size() >= file_.record_bytes_max) {
        throw Error(ErrorKind::data, "{}: the record that starts at byte {} is larger than {}, which the memory budget allows for one record; give more with --memory", input_.name(), before_,
                    format_bytes(file_.record_bytes_max));
    }
    fill(std::min(std::max(file_.page_bytes, text_.size() * 2), std::max(file_.record_bytes_max, file_.page_bytes)));
    return true;
}

/// False when the file has no more lines than that.
bool FilePass::skip_first_lines() {
    while (lines_to_skip_ > 0) {
        std::size_t end = 0;
        const std::string_view rest = std::string_view(text_).substr(at_);
        lines_to_skip_ -= scanner_.skip_lines(rest, lines_to_skip_, is_at_end_ ? Scanner::Rest::nothing : Scanner::Rest::more, end);
        at_ += end;
        if (lines_to_skip_ > 0 && !refill()) return false;
    }
    return true;
}

/// False when there is no record at all.
bool FilePass::read_header() {
    if (!skip_first_lines()) return false;
    while (true) {
        scanner_.scan(text_, at_, is_at_end_ ? Scanner::Rest::nothing : Scanner::Rest::more, 1, records_);
        if (!records_.records.empty()) {
            if (take_header(records_.records.front())) return true;
            continue;
        }
        at_ = records_.end;
        if (!refill()) return false;
    }
}

/// False when it has to be scanned again, by a dialect of the file's own.
bool FilePass::take_header(const Record& record) {
    if (record.problem != nullptr) {
        throw Error(ErrorKind::data, "{}:{}: {}, in the first line, which says what columns there are", input_.name(), record.line, record.problem);
    }
    const bool is_undivided = record.field_count == 1 && file_.survey.width > 1 && !file_.options.delimiter;
    if (is_undivided && dialect_ == file_.survey.dialect) {
        dialect_ = own_dialect({.text = text_.substr(at_), .is_all = is_at_end_}, file_.options);
        if (!(dialect_ == file_.survey.dialect)) {
            const std::uint64_t line = record.line;
            scanner_ = Scanner(dialect_, line);
            return false;
        }
    }
    has_header_ = true;
    names_ = plain_names(record.field_count);
    if (!file_.options.has_header) {
        // It is a record, too, and scanned as such.
        scanner_ = Scanner(dialect_, record.line);
        at_ = record.start;
        return true;
    }
    std::string scratch;
    for (std::size_t i = 0; i < names_.size(); ++i) {
        names_[i] = scanner_.text_of(text_, records_.fields[record.first_field + i], scratch);
        if (!is_valid_utf8(names_[i])) {
            throw Error(ErrorKind::data, "{}:{}: the name of column {} is not valid UTF-8; if the file has another encoding, say so: --encoding windows-1252", input_.name(), record.line, i + 1);
        }
    }
    names_ = column_names(std::move(names_));
    at_ = records_.end;
    return true;
}

std::optional<FilePage> FilePass::next() {
    if (!has_header_ && !read_header()) return std::nullopt;
    while (true) {
        scanner_.scan(text_, at_, is_at_end_ ? Scanner::Rest::nothing : Scanner::Rest::more, records_max, records_);
        if (!records_.records.empty()) return make_page();
        at_ = records_.end;
        if (records_.is_in_quotes && text_.size() - at_ >= file_.record_bytes_max) {
            scanner_.give_up_quotes(text_, at_, records_);
            return make_page();
        }
        if (!refill()) return std::nullopt;
    }
}

std::optional<FilePage> FilePass::make_page() {
    FilePage page;
    page.page.origin = {.name = input_.name(), .record = records_before_};
    records_before_ += records_.records.size();
    sort_out(page);
    convert(page);
    at_ = records_.end;
    return page;
}

void FilePass::report(FilePage& page, const Record& record, const std::string& column, const std::string& reason) {
    extract::SkippedText skipped{.origin = {.name = input_.name(), .byte_offset = before_ + record.start, .line = record.line},
                                 .column = column,
                                 .reason = reason,
                                 .text = std::string(raw(record))};
    if (!file_.skips_bad_records) {
        throw Error(ErrorKind::data, "{}:{} (byte {}): {}{}\n  record: {}\n  nothing was loaded; to leave such records out: --on-bad-record skip (on_bad_record in a project), or quarantine to keep them for later",
                    input_.name(), record.line, skipped.origin.byte_offset, column.empty() ? "" : fmt::format("column \"{}\": ", column), reason, excerpt(skipped.text.substr(0, 400), 200));
    }
    page.skipped.push_back(std::move(skipped));
}

/// Takes out what is no record of this file.
void FilePass::sort_out(FilePage& page) {
    const bool is_utf8 = is_valid_utf8(std::string_view(text_).substr(at_, records_.end - at_));
    std::erase_if(records_.records, [&](const Record& record) {
        if (record.problem != nullptr) {
            report(page, record, "", record.problem);
            return true;
        }
        if (record.field_count != names_.size()) {
            const bool is_nothing = record.field_count == 1 && is_blank(raw(record));
            if (!is_nothing) report(page, record, "", fmt::format("the line has {} field{}, and {} {}", record.field_count, record.field_count == 1 ? "" : "s",
                                                                  file_.options.has_header ? "the header" : "the first one", names_.size()));
            return true;
        }
        if (!is_utf8 && !is_valid_utf8(raw(record))) {
            report(page, record, "", "the text is not valid UTF-8; if the file has another encoding, say so: --encoding windows-1252");
            return true;
        }
        return false;
    });
}

/// The column's texts of all records; nulls have no data.
void FilePass::gather(std::size_t column) {
    texts_.clear();
    unescaped_used_ = 0;
    std::string scratch;
    const std::vector<std::string>& nulls = file_.options.nulls;
    const bool is_plain = nulls.size() == 1 && nulls.front().empty();
    // Views into these must hold while they grow.
    if (unescaped_.size() < records_.records.size()) unescaped_.resize(records_.records.size());
    for (const Record& record : records_.records) {
        const Field& field = records_.fields[record.first_field + column];
        std::string& own = unescaped_[unescaped_used_];
        const std::string_view text = scanner_.text_of(text_, field, own);
        if (field.has_escapes != 0) ++unescaped_used_;
        const bool is_null = is_plain ? text.empty() : std::find(nulls.begin(), nulls.end(), text) != nulls.end();
        texts_.push_back(is_null ? std::string_view() : text);
    }
}

/// Into the page's batch, unless the column has nothing but nulls.
void FilePass::convert_column(std::size_t column, FilePage& page, std::vector<BadRow>& bad) {
    const std::string& name = names_[column];
    gather(column);
    auto known = types_.find(name);
    if (known == types_.end()) {
        const std::optional<Type> found = find_type(texts_);
        if (!found) {
            page.page.null_columns.push_back(name);
            return;
        }
        known = types_.emplace(name, *found).first;
    }
    columns::ColumnBuilder values(column_type(known->second));
    std::optional<std::size_t> misfit = append_values(texts_, known->second, values);
    if (misfit && file_.options.types.contains(name)) {
        for (std::size_t row = *misfit; row < texts_.size(); ++row) {
            if (!fits(texts_[row], known->second)) {
                bad.push_back({row, name, fmt::format("\"{}\" is no {} of the form that is declared for it", excerpt(texts_[row]), schema::to_text(values.type().type))});
            }
        }
        return;
    }
    while (misfit) {
        const std::string_view text = texts_[*misfit];
        const auto seen = std::find_if(misfits_.begin(), misfits_.end(), [&](const auto& other) { return other.first == name; });
        if (seen == misfits_.end()) misfits_.emplace_back(name, excerpt(text));
        known->second = wider_type(known->second, text);
        values = columns::ColumnBuilder(column_type(known->second));
        misfit = append_values(texts_, known->second, values);
    }
    page.page.batch.names.push_back(name);
    page.page.batch.columns.push_back(std::move(values));
}

void FilePass::convert(FilePage& page) {
    columns::Batch& batch = page.page.batch;
    std::vector<BadRow> bad;
    for (std::size_t column = 0; column < names_.size() && !records_.records.empty(); ++column) convert_column(column, page, bad);
    if (!bad.empty()) {
        std::stable_sort(bad.begin(), bad.end(), [](const BadRow& a, const BadRow& b) { return a.row < b.row; });
        std::set<std::size_t> rows;
        for (const BadRow& row : bad) {
            if (rows.insert(row.row).second) report(page, records_.records[row.row], row.column, row.reason);
        }
        std::size_t row = 0;
        std::erase_if(records_.records, [&](const Record&) { return rows.contains(row++); });
        batch = {};
        page.page.null_columns.clear();
        return convert(page);
    }
    batch.rows = records_.records.size();
    if (file_.origin_columns == nullptr || batch.rows == 0) return;
    const auto line_of = [&](std::size_t row) { return records_.records[row].line; };
    page.page.origin_columns = append_origin_columns(*file_.origin_columns, line_of, input_.name(), batch);
}

}  // namespace tipple::sources::csv
