#include "tipple/sources/csv/page_converter.h"

#include <algorithm>
#include <utility>

#include "tipple/core/text.h"
#include "tipple/sources/origin_columns.h"

namespace tipple::sources::csv {

namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

}  // namespace

std::optional<FilePage> PageConverter::try_convert(const TextPage& text, const Types& types) { return convert(text, types, nullptr); }

FilePage PageConverter::convert(const TextPage& text, KnownTypes& known) {
    std::optional<FilePage> page = convert(text, known.types, &known);
    TIPPLE_ASSERT(page.has_value());
    return *std::move(page);
}

std::optional<FilePage> PageConverter::convert(const TextPage& text, const Types& types, KnownTypes* known) {
    text_ = &text;
    records_ = text.records.records;
    FilePage page;
    page.page.origin = {.name = layout_.file, .record = text.records_before};
    sort_out(page);
    if (!convert_records(types, known, page)) return std::nullopt;
    return page;
}

void PageConverter::report(FilePage& page, const Record& record, const std::string& column, const std::string& reason) const {
    extract::SkippedText skipped{.origin = {.name = layout_.file, .byte_offset = text_->bytes_before + record.start, .line = record.line},
                                 .column = column,
                                 .reason = reason,
                                 .text = std::string(raw(record))};
    if (!file_.skips_bad_records) {
        throw Error(ErrorKind::data, "{}:{} (byte {}): {}{}\n  record: {}\n  nothing was loaded; to leave such records out: --on-bad-record skip (on_bad_record in a project), or quarantine to keep them for later",
                    layout_.file, record.line, skipped.origin.byte_offset, column.empty() ? "" : fmt::format("column \"{}\": ", column), reason, excerpt(skipped.text.substr(0, 400), 200));
    }
    page.skipped.push_back(std::move(skipped));
}

/// Takes out what is no record of this file.
void PageConverter::sort_out(FilePage& page) {
    const bool is_utf8 = is_valid_utf8(text_->text.substr(text_->start, text_->records.end - text_->start));
    std::erase_if(records_, [&](const Record& record) {
        if (record.problem != nullptr) {
            report(page, record, "", record.problem);
            return true;
        }
        if (record.field_count != layout_.names.size()) {
            const bool is_nothing = record.field_count == 1 && is_blank(raw(record));
            if (!is_nothing) report(page, record, "", fmt::format("the line has {} field{}, and {} {}", record.field_count, record.field_count == 1 ? "" : "s",
                                                                  file_.options.has_header ? "the header" : "the first one", layout_.names.size()));
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
void PageConverter::gather(std::size_t column) {
    texts_.clear();
    unescaped_used_ = 0;
    const std::vector<std::string>& nulls = file_.options.nulls;
    const bool is_plain = nulls.size() == 1 && nulls.front().empty();
    // Views into these must hold while they grow.
    if (unescaped_.size() < records_.size()) unescaped_.resize(records_.size());
    for (const Record& record : records_) {
        const Field& field = text_->records.fields[record.first_field + column];
        std::string& own = unescaped_[unescaped_used_];
        const std::string_view text = field_text(layout_.dialect, text_->text, field, own);
        if (field.has_escapes != 0) ++unescaped_used_;
        const bool is_null = is_plain ? text.empty() : std::find(nulls.begin(), nulls.end(), text) != nulls.end();
        texts_.push_back(is_null ? std::string_view() : text);
    }
}

/// Into the page's batch, unless the column has nothing but nulls. False when `known` would have to change.
bool PageConverter::convert_column(std::size_t column, const Types& types, KnownTypes* known, FilePage& page, std::vector<BadRow>& bad) {
    const std::string& name = layout_.names[column];
    gather(column);
    const auto found = types.find(name);
    std::optional<Type> type = found != types.end() ? std::optional<Type>(found->second) : find_type(texts_);
    if (!type) {
        page.page.null_columns.push_back(name);
        return true;
    }
    if (found == types.end()) {
        if (known == nullptr) return false;
        known->types.emplace(name, *type);
    }
    columns::ColumnBuilder values(column_type(*type));
    std::optional<std::size_t> misfit = append_values(texts_, *type, values);
    if (misfit && file_.options.types.contains(name)) {
        for (std::size_t row = *misfit; row < texts_.size(); ++row) {
            if (!fits(texts_[row], *type)) {
                bad.push_back({row, name, fmt::format("\"{}\" is no {} of the form that is declared for it", excerpt(texts_[row]), schema::to_text(values.type().type))});
            }
        }
        return true;
    }
    if (misfit && known == nullptr) return false;
    while (misfit) {
        const std::string_view text = texts_[*misfit];
        const auto seen = std::find_if(known->misfits.begin(), known->misfits.end(), [&](const auto& other) { return other.first == name; });
        if (seen == known->misfits.end()) known->misfits.emplace_back(name, excerpt(text));
        type = wider_type(*type, text);
        known->types.insert_or_assign(name, *type);
        values = columns::ColumnBuilder(column_type(*type));
        misfit = append_values(texts_, *type, values);
    }
    page.page.batch.names.push_back(name);
    page.page.batch.columns.push_back(std::move(values));
    return true;
}

bool PageConverter::convert_records(const Types& types, KnownTypes* known, FilePage& page) {
    columns::Batch& batch = page.page.batch;
    std::vector<BadRow> bad;
    for (std::size_t column = 0; column < layout_.names.size() && !records_.empty(); ++column) {
        if (!convert_column(column, types, known, page, bad)) return false;
    }
    if (!bad.empty()) {
        std::stable_sort(bad.begin(), bad.end(), [](const BadRow& a, const BadRow& b) { return a.row < b.row; });
        std::set<std::size_t> rows;
        for (const BadRow& row : bad) {
            if (rows.insert(row.row).second) report(page, records_[row.row], row.column, row.reason);
        }
        std::size_t row = 0;
        std::erase_if(records_, [&](const Record&) { return rows.contains(row++); });
        batch = {};
        page.page.null_columns.clear();
        return convert_records(types, known, page);
    }
    batch.rows = records_.size();
    if (file_.origin_columns == nullptr || batch.rows == 0) return true;
    const auto line_of = [&](std::size_t row) { return records_[row].line; };
    page.page.origin_columns = append_origin_columns(*file_.origin_columns, line_of, layout_.file, batch);
    return true;
}

}  // namespace tipple::sources::csv
