#include "tipple/pipeline/page_normalizer.h"

#include <algorithm>

#include "tipple/core/text.h"
#include "tipple/pipeline/resources.h"
#include "tipple/schema/contract.h"

namespace tipple::pipeline {

const extract::Origin& origin_of(const extract::Page& page) {
    return std::visit([](const auto& any) -> const extract::Origin& { return any.origin; }, page);
}

const std::string& table_of(const extract::Page& page) {
    return std::visit([](const auto& any) -> const std::string& { return any.table; }, page);
}

std::size_t page_memory(const extract::Page& page) {
    if (const auto* json = std::get_if<extract::JsonPage>(&page)) return json->size * 3;
    if (const auto* columns = std::get_if<extract::ColumnPage>(&page)) return columns->batch.byte_size() * 2;
    return std::get<extract::ValuePage>(page).records.size() * 1'000;
}

RecordPlace place_in(const extract::Origin& origin, std::size_t offset, std::size_t line, std::size_t record_index) {
    return {.origin = origin.name,
            .byte_offset = origin.byte_offset + offset,
            .line = origin.line == 0 ? 0 : origin.line + line,
            .record = origin.record + record_index + 1};
}

namespace {

/// Whether the name has a column, or is that of an object or list whose fields have some.
bool has_values(const schema::Schema& schema, const normalize::NullOnlyColumn& nulls, std::string_view separator) {
    const std::string below = fmt::format("{}{}", nulls.column, separator);
    if (schema.find(fmt::format("{}{}{}", nulls.table, separator, nulls.column)) != nullptr) return true;
    const schema::Table* table = schema.find(nulls.table);
    return table != nullptr && std::any_of(table->columns().begin(), table->columns().end(), [&](const schema::Column& column) {
        return column.is_complete() && (column.name() == nulls.column || column.name().starts_with(below));
    });
}

}  // namespace

void erase_typed(std::vector<normalize::NullOnlyColumn>& null_only, const schema::Schema& schema, std::string_view separator) {
    std::erase_if(null_only, [&](const normalize::NullOnlyColumn& nulls) { return has_values(schema, nulls, separator); });
}

std::size_t DoneItem::place_of(std::size_t record) const {
    const std::size_t kept = fold ? fold->place_of(record) : record;
    return place_before_conditions(kept);
}

std::size_t DoneItem::place_before_conditions(std::size_t record) const {
    const std::size_t place = unwanted_records ? incremental::place_before(record, *unwanted_records) : record;
    return step_origins && place < step_origins->places.size() ? step_origins->places[place] : place;
}

bool DoneItem::is_judged_now() const {
    const std::optional<incremental::Cursor>& cursor = work.reading->cursor;
    return is_next || !cursor || !cursor->start().judges_in_order();
}

std::size_t DoneItem::offset_of(std::size_t offset) const {
    const auto* json = std::get_if<extract::JsonPage>(&work.page);
    if (!step_origins || json == nullptr) return offset;
    const auto behind = std::upper_bound(json->record_starts.begin(), json->record_starts.end(), offset);
    return behind == json->record_starts.begin() ? offset : step_origins->offsets[static_cast<std::size_t>(behind - json->record_starts.begin()) - 1];
}

PageNormalizer::PageNormalizer(const normalize::Rules& rules)
    : rules_(rules), shredder_(rules), columnar_(rules), encoder_(format::Compression::lz4) {}

namespace {

std::string place_of(const DoneItem& done, const incremental::RecordProblem& problem) {
    const extract::Page& page = done.work.page;
    const extract::Origin& origin = origin_of(page);
    SkippedRecord record{.origin = origin.name, .byte_offset = origin.byte_offset + done.offset_of(problem.offset), .line = origin.line, .record = origin.record + problem.record + 1};
    const auto* json = std::get_if<extract::JsonPage>(&page);
    if (json != nullptr && origin.line != 0) {
        record.line += count_lines({reinterpret_cast<const char*>(json->text.data()), problem.offset});
    }
    return record.place();
}

/// Of tables that are not let in.
bool quarantines_unwanted(const ActiveResource& resource, const schema::Schema& schema) {
    if (resource.is_put_aside) return true;
    const json::Value& own = resource.spec.schema_contract;
    const schema::Contract contract = own.is_null() ? schema::contract_of(schema, nullptr) : schema::parse_contract(own);
    return contract.tables == schema::ContractMode::quarantine;
}

void leave_out(const columns::Batch& batch, bool is_put_aside, normalize::PageResult& result) {
    if (is_put_aside) return normalize::ColumnarNormalizer::put_aside(batch, "the table would be new, which the schema contract puts aside", result);
    result.discarded_rows = result.records;
    result.tables.clear();
    result.proposals.clear();
}

}  // namespace

void PageNormalizer::run(DoneItem& done, const std::shared_ptr<const schema::Schema>& snapshot, const UnwantedTables& unwanted, std::size_t records_max) {
    done.batches.clear();
    done.snapshot = snapshot;
    apply_steps(done);
    leave_out_unwanted(done);
    if (!done.is_judged_now()) return;
    filter(done, records_max);
    const ActiveResource& resource = done.work.reading->resource;
    const std::string& own_table = table_of(done.work.page);
    const std::string table = own_table.empty() ? resource.table : table_name(own_table, *rules_.naming);
    normalize::RootTable root(table);
    root.unwanted = &unwanted;
    root.quarantines_unwanted = quarantines_unwanted(resource, *snapshot);
    if (own_table.empty() && resource.spec.table_by) root.by_field = &*resource.spec.table_by;
    const std::uint64_t number = done.work.number;
    if (const auto* json = std::get_if<extract::JsonPage>(&done.work.page)) {
        normalize::AddedFields added;
        if (json->origin_columns != nullptr) {
            added = {.constants = json->origin_columns->constants, .place = json->origin_columns->place, .line = json->origin.line, .records_before = json->origin.record};
        }
        const normalize::JsonPage page{.text = {reinterpret_cast<const char*>(json->text.data()), json->size},
                                       .record_starts = json->record_starts,
                                       .number = number,
                                       .records_max = records_max,
                                       .added = json->origin_columns != nullptr ? &added : nullptr};
        shredder_.shred(page, root, snapshot, done.result);
    } else if (auto* columns = std::get_if<extract::ColumnPage>(&done.work.page)) {
        if (root.by_field != nullptr) {
            throw Error(ErrorKind::usage, "resource \"{}\": columns cannot choose a table for each row; only records can", resource.spec.name);
        }
        if (columns->batch.rows > records_max) {
            for (columns::ColumnBuilder& column : columns->batch.columns) column.truncate(records_max);
            columns->batch.rows = records_max;
        }
        columnar_.normalize(columns->batch, number, table, snapshot, done.result, {.origin_columns = columns->origin_columns, .null_columns = columns->null_columns});
        if (unwanted.contains(table)) leave_out(columns->batch, root.quarantines_unwanted, done.result);
    } else {
        const auto& records = std::get<extract::ValuePage>(done.work.page).records;
        const std::span<const schema::Value> wanted(records.data(), std::min(records.size(), records_max));
        shredder_.shred_values(wanted, number, root, snapshot, done.result);
    }
    if (!own_table.empty() && !unwanted.contains(table)) done.result.chosen_tables.push_back(own_table);
    encode(done);
}

/// Once: the page is another one then.
void PageNormalizer::apply_steps(DoneItem& done) {
    const extract::ResourceSpec& spec = done.work.reading->resource.spec;
    if (spec.steps == nullptr || done.step_origins) return;
    done.step_origins = steps_.apply(*spec.steps, done.work.page, spec.name);
    done.work.hold.resize(page_memory(done.work.page));
}

/// What does not meet the resource's condition, before anybody else looks at it.
void PageNormalizer::leave_out_unwanted(DoneItem& done) {
    const extract::ResourceSpec& spec = done.work.reading->resource.spec;
    if (spec.where == nullptr || done.unwanted_records) return;
    if (auto* json = std::get_if<extract::JsonPage>(&done.work.page)) {
        done.unwanted_records = condition_filter_.filter(
            *spec.where, {.text = reinterpret_cast<char*>(json->text.data()), .size = json->size, .record_starts = json->record_starts});
    } else if (auto* columns = std::get_if<extract::ColumnPage>(&done.work.page)) {
        done.unwanted_records = condition_filter_.filter(*spec.where, columns->batch, spec.name);
    } else {
        done.unwanted_records = condition_filter_.filter(*spec.where, std::get<extract::ValuePage>(done.work.page).records);
    }
}

/// Leaves out what the cursor has no use for. Done again when only the first `records_max` of what was left count.
void PageNormalizer::filter(DoneItem& done, std::size_t records_max) {
    const Reading& reading = *done.work.reading;
    if (!reading.cursor) return;
    // In order, it is judged when it is admitted, and how many records count is known then.
    if (done.fold && (records_max == SIZE_MAX || reading.cursor->start().judges_in_order())) return;
    const incremental::CursorStart& start = reading.cursor->start();
    incremental::PageFold fold;
    incremental::FilterOptions options{.kept_max = records_max, .crowded_value = done.crowded_value};
    if (start.judges_in_order()) {
        options.crowded_value = reading.cursor->crowded_value();
        options.last = reading.cursor->last();
    }
    std::optional<incremental::RecordProblem> problem;
    if (auto* json = std::get_if<extract::JsonPage>(&done.work.page)) {
        problem = filter_.filter(start, {.text = reinterpret_cast<char*>(json->text.data()), .size = json->size, .record_starts = json->record_starts},
                                 options, fold);
    } else if (auto* columns = std::get_if<extract::ColumnPage>(&done.work.page)) {
        problem = filter_.filter(start, columns->batch, options, fold);
    } else {
        problem = filter_.filter(start, std::get<extract::ValuePage>(done.work.page).records, options, fold);
    }
    if (problem) {
        problem->record = done.place_before_conditions(problem->record);
        throw Error(ErrorKind::data, "{}: {}\n  nothing was loaded", place_of(done, *problem), problem->text);
    }
    if (done.fold) fold.dropped = std::move(done.fold->dropped);
    done.fold = std::move(fold);
}

/// The rows are borrowed from the normalizers, so they become bytes at once, while they are still in the cache.
void PageNormalizer::encode(DoneItem& done) {
    for (const normalize::TableRows& rows : done.result.tables) {
        package::EncodedBatch batch{.table = std::string(rows.table), .columns = {}, .rows = rows.rows, .raw_bytes = 0, .message = {}};
        for (std::size_t i = 0; i < rows.columns.size(); ++i) {
            batch.columns.push_back({std::string(rows.names[i]), rows.columns[i].type});
            batch.raw_bytes += rows.columns[i].byte_size();
        }
        encoder_.append_batch(batch.message, rows.columns, rows.rows);
        done.batches.push_back(std::move(batch));
    }
    done.result.tables.clear();
}

}  // namespace tipple::pipeline
