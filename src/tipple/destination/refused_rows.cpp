#include "tipple/destination/refused_rows.h"

#include <algorithm>

#include "tipple/columns/value_at.h"
#include "tipple/core/text.h"
#include "tipple/json/value.h"
#include "tipple/schema/coerce.h"

namespace tipple::destination {

namespace {

constexpr std::size_t value_length_max = 60;
constexpr std::size_t row_length_max = 500;
constexpr std::size_t scan_rows = 8'192;

std::vector<package::SegmentColumn> columns_of(const schema::Table& table) {
    std::vector<package::SegmentColumn> columns;
    for (const schema::Column& column : table.columns()) {
        if (column.is_complete()) columns.push_back({column.name(), columns::column_type(column)});
    }
    return columns;
}

package::TableReader open_reader(const RowSearch& search, const std::string& table,
                                 std::vector<package::SegmentColumn> columns) {
    return {search.files,
            search.package,
            table,
            std::move(columns),
            scan_rows,
            limits::text_buffer_bytes_max,
            package::OtherColumns::skip};
}

/// Among the rows of job files, but for those that were left out.
std::optional<std::uint64_t> find_null(const RowSearch& search, const RowsRefused::Known& known) {
    const auto& [table, position, column, dropped] = known;
    const schema::Column* definition = search.package.schema().require(table).find(column);
    if (definition == nullptr || !definition->is_complete()) return std::nullopt;
    package::TableReader reader =
        open_reader(search, table, {{column, columns::column_type(*definition)}});
    std::uint64_t first = 0;
    while (const std::unique_ptr<columns::Batch> batch = reader.next()) {
        const columns::BatchView view = batch->view();
        for (std::size_t row = 0; row < view.rows; ++row) {
            if (!view.columns[0].is_null(row)) continue;
            if (dropped == nullptr || !dropped->contains(first + row)) return first + row;
        }
        first += view.rows;
    }
    return std::nullopt;
}

/// Loads parts of a table until one row is left.
class Halves {
public:
    Halves(const std::string& table, const RowSearch& search, std::stop_token stop)
        : table_(table), search_(search), stop_(std::move(stop)), watch_(search.clock) {
        const std::vector<package::TableLoad>& loads = search.package.manifest().loads;
        const auto load =
            std::find_if(loads.begin(), loads.end(), [&](const package::TableLoad& each) {
                return std::find(each.tables.begin(), each.tables.end(), table) !=
                       each.tables.end();
            });
        TIPPLE_ASSERT(load != loads.end());
        root_ = load->root;
        disposition_ = load->disposition;
    }

    std::optional<std::uint64_t> find() {
        const std::uint64_t rows = search_.package.manifest().rows_of(table_);
        RowRange range{.first = 0, .count = rows};
        // A row that is at fault by itself, or beside rows that are there already, is refused with
        // any others.
        while (range.count > 1) {
            const std::uint64_t half = range.count / 2;
            const std::optional<bool> is_refused = refuses({.first = range.first, .count = half});
            if (!is_refused) return std::nullopt;
            if (!*is_refused) range.first += half;
            range.count = *is_refused ? half : range.count - half;
        }
        const std::optional<bool> is_refused = refuses(range);
        if (!is_refused || *is_refused)
            return is_refused ? std::optional(range.first) : std::nullopt;
        return find_behind_another(rows);
    }

private:
    /// A row that is refused only beside another one of the load ends the shortest beginning of the
    /// table that is refused.
    std::optional<std::uint64_t> find_behind_another(std::uint64_t rows) {
        std::uint64_t taken = 0;
        std::uint64_t refused = rows;
        while (refused - taken > 1) {
            const std::uint64_t middle = taken + (refused - taken) / 2;
            const std::optional<bool> is_refused = refuses({.first = 0, .count = middle});
            if (!is_refused) return std::nullopt;
            (*is_refused ? refused : taken) = middle;
        }
        return refused - 1;
    }

    /// Nothing when there is no time left.
    std::optional<bool> refuses(RowRange range) {
        if (stop_.stop_requested() || watch_.seconds() > search_.seconds_max) return std::nullopt;
        const std::unique_ptr<LoadTransaction> transaction =
            search_.destination.begin(search_.package);
        prepare_tables(*transaction, search_.package, search_.destination.capabilities());
        try {
            // With the root go rows of the destination, those below them too.
            if (root_ != table_)
                transaction->load(
                    {.table = root_, .disposition = disposition_, .only = {.first = 0, .count = 0}},
                    stop_);
            transaction->load({.table = table_, .disposition = disposition_, .only = range}, stop_);
            return false;
        } catch (const RowsRefused&) {
            return true;
        }
    }

    const std::string& table_;
    const RowSearch& search_;
    std::stop_token stop_;
    Stopwatch watch_;
    std::string root_;
    schema::Disposition disposition_ = schema::Disposition::append;
};

/// Where the row lies, and what it holds where that can be read.
RefusedRow place_of(std::uint64_t position, const RowSearch& search, const std::string& table) {
    std::uint64_t first = 0;
    for (const bool is_reference : {false, true}) {
        for (const package::JobFile* job : search.package.jobs_of(table)) {
            if (job->reference.has_value() != is_reference) continue;
            if (position >= first + job->rows) {
                first += job->rows;
                continue;
            }
            if (is_reference)
                return {.table = table, .job = job->name, .path = job->reference->path, .row = position - first + 1};
            package::TableReader reader =
                open_reader(search, table, columns_of(search.package.schema().require(table)));
            reader.select(position, 1);
            const std::unique_ptr<columns::Batch> batch = reader.next();
            TIPPLE_ASSERT(batch != nullptr && batch->rows == 1);
            return {.table = table, .job = job->name, .path = {}, .row = position + 1, .record = describe_row(batch->view(), 0)};
        }
    }
    throw Error(ErrorKind::corrupt, "table \"{}\" has no row {}", table, position + 1);
}

}  // namespace

std::string describe_row(const columns::BatchView& rows, std::size_t row) {
    json::Object values;
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        if (rows.columns[i].is_null(row)) continue;
        const std::optional<schema::Value> text =
            schema::coerce(schema::DataType::text, columns::value_at(rows.columns[i], row));
        if (text && text->is<std::string>())
            values.set(std::string(rows.names[i]),
                       excerpt(text->as<std::string>(), value_length_max));
    }
    return excerpt(json::to_text(values), row_length_max);
}

std::optional<std::uint64_t> find_refused_row(const RowsRefused& refused, const RowSearch& search,
                                              std::stop_token stop) {
    const RowsRefused::Known& known = refused.known();
    if (known.position) return known.position;
    if (!known.column.empty()) {
        if (const auto position = find_null(search, known)) return position;
    }
    if (!search.destination.capabilities().loads_row_ranges || search.load_seconds > search.seconds_max) return std::nullopt;
    return Halves(known.table, search, std::move(stop)).find();
}

std::string to_text(const RefusedRow& row) {
    if (!row.path.empty()) return fmt::format("row {} of file {}", row.row, row.path);
    return fmt::format("row {} of table \"{}\" in the load, in job file {}: {}", row.row, row.table, row.job, row.record);
}

std::optional<RefusedRow> locate_refused_row(const RowsRefused& refused, const RowSearch& search, std::stop_token stop) {
    try {
        const std::optional<std::uint64_t> position = find_refused_row(refused, search, std::move(stop));
        if (!position) return std::nullopt;
        return place_of(*position, search, refused.known().table);
    } catch (const Error&) {
        // Why the load failed is known, and more important than what kept the search from its end.
        return std::nullopt;
    }
}

void prepare_tables(LoadTransaction& transaction, const package::Package& package,
                    const Capabilities& capabilities) {
    std::vector<std::string> tables;
    for (const package::TableLoad& load : package.manifest().loads)
        tables.insert(tables.end(), load.tables.begin(), load.tables.end());
    const package::Removal& removal = package.manifest().removal;
    if (!removal.dropped.empty()) transaction.drop(removal.dropped);
    transaction.apply(plan_ddl(package.schema(), tables, transaction.catalog(), capabilities,
                               package.manifest().widened));
    if (!removal.truncated.empty()) transaction.truncate(removal.truncated);
    if (!removal.undone_loads.empty()) transaction.undo();
}

}  // namespace tipple::destination
