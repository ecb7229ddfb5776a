#include "tipple/sources/sql/table_reader.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"
#include "tipple/incremental/bounds.h"
#include "tipple/incremental/cursor.h"
#include "tipple/incremental/value.h"
#include "tipple/sources/sql/cursor_order.h"
#include "tipple/sources/sql/part_reader.h"
#include "tipple/sources/sql/tables.h"

namespace tipple::sources::sql {

using schema::DataType;
using schema::Value;

namespace {

/// What is handed to the pipeline at once: a page.
constexpr std::size_t batch_bytes = std::size_t{4} << 20;
/// Rows that a part should have, and from which on it is worth to divide a table.
constexpr std::uint64_t part_rows = static_cast<std::uint64_t>(limits::row_group_rows);
/// Parts for each connection where nobody knows how large the table is.
constexpr std::size_t parts_of_unknown = 8;
constexpr std::size_t parts_max = 10'000;

/// A value as the column has them; null when that is not known before they come.
Value sample_of(const DeclaredColumn& column) {
    if (!column.type) return {};
    switch (column.type->type) {
        case DataType::bigint:
            return std::int64_t{0};
        case DataType::double_:
            return 0.0;
        case DataType::decimal:
        case DataType::wei:
            return schema::Decimal();
        case DataType::timestamp:
            return schema::Timestamp{.us = 0, .is_aware = column.type->timezone};
        case DataType::date:
            return schema::Date();
        case DataType::time:
            return schema::Time();
        case DataType::text:
            return std::string();
        default:
            return {};
    }
}

/// What the user or an earlier run says, as the column has its values.
Value adapted(const Value& bound, const Value& greatest, const DeclaredColumn& column, const extract::ResourceSpec& spec) {
    const Value like = greatest.is_null() ? sample_of(column) : greatest;
    if (bound.is_null() || like.is_null()) return bound;
    Value value = incremental::adapt_bound(bound, like, true);
    if (incremental::kind_of(value) == incremental::kind_of(like)) return value;
    throw Error(ErrorKind::usage, "resource \"{}\": column \"{}\" is {}, and the cursor's bound {} is none of its values", spec.name, column.name, column.declared,
                incremental::describe(bound));
}

CursorRange range_of(const TableJob& job, const DeclaredColumn& column) {
    const incremental::Spec& spec = *job.spec.incremental;
    CursorRange range{.column = column,
                      .range_start = spec.range_start,
                      .range_end = spec.range_end,
                      .last_value_func = spec.last_value_func.order(),
                      .on_missing = spec.on_cursor_value_missing,
                      .order = spec.row_order};
    if (job.bound) {
        range.upper = job.bound->upper;
        range.condition = job.bound->condition;
    }
    range.start = adapted(job.context.cursor->start(), range.upper, column, job.spec);
    range.end = adapted(job.context.cursor->end(), range.upper, column, job.spec);
    range.needs_exact_order = job.context.may_end_early || !range.end.is_null();
    return range;
}

std::vector<std::string> key_of(const TablePlan& plan, const extract::ResourceSpec& spec) {
    std::vector<std::string> key = spec.primary_key.empty() ? plan.info.primary_key : spec.primary_key;
    std::erase_if(key, [&](const std::string& name) {
        return std::none_of(plan.info.columns.begin(), plan.info.columns.end(), [&](const DeclaredColumn& column) { return column.name == name; });
    });
    return key;
}

/// Hands rows over as pages.
class PageWriter {
public:
    PageWriter(const TableJob& job, extract::Output& out) : out_(out) {
        const TableName& table = job.plan.info.name;
        origin_.name = table.name.empty() ? fmt::format("query \"{}\" of {}", job.plan.name, job.database.description())
                                          : fmt::format("table {} of {}", full_name(table), job.database.description());
    }

    bool write(Rows rows) {
        const std::size_t count = row_count(rows);
        bytes_ += byte_size(rows);
        if (auto* batch = std::get_if<columns::Batch>(&rows)) {
            out_.write(extract::ColumnPage{.batch = std::move(*batch), .origin = origin_});
        } else {
            out_.write(extract::ValuePage{.records = std::move(std::get<std::vector<schema::Value>>(rows)), .origin = origin_});
        }
        origin_.record += count;
        out_.report({.bytes_read = bytes_});
        return out_.wants_more();
    }
    bool is_empty() const { return origin_.record == 0; }

private:
    extract::Output& out_;
    extract::Origin origin_;
    std::uint64_t bytes_ = 0;
};

/// Whether nothing depends on the order of the rows: a part that is never reached must not be taken for read.
bool may_divide(const TableJob& job, const Statement& statement) {
    const std::optional<std::uint64_t>& rows = job.plan.info.rows_estimate;
    if (job.plan.settings.read.parallel < 2 || !job.plan.settings.query.empty() || !job.context.run_together || job.context.may_end_early) return false;
    if (statement.cursor && (!statement.cursor->start.is_null() || !statement.cursor->end.is_null())) return false;
    return !rows || *rows >= 2 * part_rows;
}

std::vector<Select> divide(const TableJob& job, Statement statement) {
    const ReadSettings& settings = job.plan.settings.read;
    const std::optional<std::uint64_t>& rows = job.plan.info.rows_estimate;
    const std::size_t wanted = rows ? static_cast<std::size_t>(*rows / part_rows + 1) : settings.parallel * parts_of_unknown;
    const std::vector<std::string> conditions =
        job.database.split(job.plan.info, settings.split_by, std::clamp(wanted, settings.parallel, parts_max), job.context.stop);
    if (statement.cursor) statement.cursor->order = incremental::RowOrder::none;
    std::vector<Select> parts;
    for (const std::string& condition : conditions) {
        statement.part = condition;
        parts.push_back({.sql = to_sql(job.database, statement), .columns = statement.columns});
    }
    return parts;
}

/// Nothing where all rows are read whatever their order.
std::optional<CursorOrder> order_to_check(const TableJob& job, const Statement& statement) {
    if (!statement.cursor || statement.cursor->order == incremental::RowOrder::none || !statement.cursor->needs_exact_order) return std::nullopt;
    return CursorOrder(job.spec.name, statement.cursor->column.name, statement.cursor->is_ascending());
}

/// False when there are no connections or parts to do it with.
bool try_read_divided(const TableJob& job, const Statement& statement, PageWriter& pages) {
    if (!may_divide(job, statement)) return false;
    PartsJob parts{.parts = divide(job, statement), .batch_rows = job.plan.settings.read.batch_rows, .batch_bytes = batch_bytes, .waiting_bytes_max = job.context.memory_bytes / 4};
    if (parts.parts.size() < 2) return false;
    std::vector<std::unique_ptr<Database>> others;
    std::vector<Database*> connections = {&job.database};
    while (connections.size() < std::min(job.plan.settings.read.parallel, parts.parts.size())) {
        others.push_back(job.database.another(job.context.stop));
        if (others.back() == nullptr) break;
        connections.push_back(others.back().get());
    }
    if (connections.size() < 2) {
        job.context.log.info("resource \"{}\": one connection reads it, since no other one would see the same rows", job.spec.name);
        return false;
    }
    job.context.log.info("resource \"{}\": {} connections read {} parts of it", job.spec.name, connections.size(), parts.parts.size());
    read_parts(parts, connections, job.context, [&](Rows rows) { return pages.write(std::move(rows)); });
    return true;
}

}  // namespace

const DeclaredColumn* cursor_column(const TablePlan& plan, const extract::ResourceSpec& spec) {
    if (!spec.incremental) return nullptr;
    const std::optional<std::string> name = incremental::cursor_field(*spec.incremental);
    std::vector<std::string> names;
    for (const DeclaredColumn& column : plan.columns) {
        if (name == column.name) return &column;
        names.push_back(column.name);
    }
    const std::string& given = name ? *name : spec.incremental->cursor_path;
    throw Error(ErrorKind::usage, "resource \"{}\": the cursor \"{}\" is no column that is read; {}", spec.name, excerpt(given),
                suggestion(given, names));
}

std::optional<Statement> make_statement(const TableJob& job) {
    Statement statement{.table = job.plan.info.name, .query = job.plan.settings.query, .columns = job.plan.columns, .where = job.plan.settings.where};
    const DeclaredColumn* column = job.context.cursor != nullptr ? cursor_column(job.plan, job.spec) : nullptr;
    if (column != nullptr && job.bound && job.bound->upper.is_null() && !job.bound->is_open) {
        if (job.spec.incremental->on_cursor_value_missing == incremental::MissingCursor::exclude) return std::nullopt;
        statement.part = job.database.quote(column->name) + " IS NULL";
        return statement;
    }
    if (column != nullptr) statement.cursor = range_of(job, *column);
    statement.key = key_of(job.plan, job.spec);
    // Behind a start there may be rows that are known already and do not count.
    if (!statement.cursor || statement.cursor->start.is_null()) statement.limit = job.context.records_max;
    return statement;
}

void read_table(const TableJob& job, extract::Output& out) {
    PageWriter pages(job, out);
    if (const std::optional<Statement> statement = make_statement(job); statement && !try_read_divided(job, *statement, pages)) {
        const Select select{.sql = to_sql(job.database, *statement), .columns = statement->columns};
        job.context.log.debug("resource \"{}\": {}", job.spec.name, select.sql);
        std::optional<CursorOrder> order = order_to_check(job, *statement);
        job.database.read(select, job.plan.settings.read.batch_rows, batch_bytes, job.context.stop, [&](Rows rows) {
            if (order) order->check(rows);
            return pages.write(std::move(rows));
        });
    }
    const bool is_first = job.context.cursor == nullptr || job.context.cursor->start().is_null();
    const bool has_types = std::any_of(job.plan.columns.begin(), job.plan.columns.end(), [](const DeclaredColumn& column) { return column.type.has_value(); });
    if (pages.is_empty() && is_first && has_types) out.materialize();
}

}  // namespace tipple::sources::sql
