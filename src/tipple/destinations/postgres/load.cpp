#include "tipple/destinations/postgres/load.h"

#include <algorithm>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/refused_rows.h"
#include "tipple/destination/replaced_rows.h"
#include "tipple/destination/system_tables.h"
#include "tipple/destination/undo_sql.h"
#include "tipple/destinations/postgres/replaceable.h"
#include "tipple/destinations/postgres/types.h"

namespace tipple::destinations::postgres {

using destination::CatalogColumn;
using destination::DroppedRows;
using package::SegmentColumn;
using schema::Disposition;

namespace {

/// Values of one batch hold no more bytes than this, and than this part of the memory there is.
constexpr std::uint64_t batch_bytes_max = std::uint64_t{16} << 20;
constexpr std::uint64_t batch_bytes_min = std::uint64_t{1} << 20;
constexpr std::uint64_t batches_in_memory = 8;
constexpr std::size_t batch_rows = 32'768;
constexpr std::string_view not_null_violation = "23502";
constexpr std::string_view foreign_key_violation = "23503";
/// Positions that go to the server in one batch.
constexpr std::size_t positions_per_batch = 100'000;

std::string copy_statement(const std::string& target, const std::vector<CopyField>& fields, bool is_new) {
    std::vector<std::string> names;
    for (const CopyField& field : fields) names.push_back(quote_identifier(field.name));
    // Rows of a table that this transaction makes can be written as old ones: that saves the server work now and later, and who has been reading since
    // before the load finds them in the place of those that are gone.
    return fmt::format("COPY {} ({}) FROM STDIN WITH (FORMAT binary{})", target, join(names, ", "), is_new ? ", FREEZE" : "");
}

bool has_system_tables(const destination::Catalog& catalog) {
    return catalog.find(destination::version_table) != nullptr && catalog.find(destination::loads_table) != nullptr &&
           catalog.find(destination::state_table) != nullptr;
}

/// Staging tables of a merge have rows' positions under this name.
std::string position_name(const destination::TableLoadState& table) {
    std::vector<std::string> names;
    for (const SegmentColumn& column : table.columns) names.push_back(column.name);
    return destination::Merge::position_name(names, name_rule);
}

}  // namespace

Load::Load(const Place& place, const destination::DestinationContext& context, const destination::Capabilities& capabilities,
           const package::Package& package)
    : place_(place), context_(context), package_(package), plan_(package_, capabilities), session_(place_) {
    session_.begin_write();
    session_.lock_pipeline();
    catalog_ = session_.read_catalog();
    if (!has_system_tables(catalog_)) {
        session_.lock_dataset();
        catalog_ = session_.read_catalog();
    }
    destination::check_fence(session_, catalog_, package_);
    if (!context_.adopt_tables) destination::check_foreign_tables(session_, catalog_, plan_);
    for (const std::string& table : package_.manifest().removal.dropped) catalog_.tables.erase(table);
    destination::check_types(catalog_, package_, plan_, session_.sql().dialect(), keeps_values);
}

void Load::drop(const std::vector<std::string>& tables) {
    for (const std::string& table : tables) session_.execute(fmt::format("DROP TABLE IF EXISTS {}", session_.sql().table(table)));
}

void Load::truncate(const std::vector<std::string>& tables) {
    for (const std::string& table : tables) {
        // Not TRUNCATE, for which readers would wait until the load is done.
        if (existed(table)) session_.execute(fmt::format("DELETE FROM {}", session_.sql().table(table)));
    }
}

void Load::apply(const destination::DdlPlan& plan) {
    destination::create_system_tables(session_, catalog_);
    for (const schema::Table& table : plan.create) session_.execute(session_.sql().create_table(table));
    ddl_ = plan;
    choose_ways();
}

void Load::undo() {
    destination::undo_loads(session_.sql(), package_.schema(), catalog_, name_rule, package_.manifest().removal,
                            [&](const std::string& statement) { return session_.execute(statement); });
}

/// Whether the table is there and must get other columns.
bool Load::is_altered(const std::string& table) const {
    const auto is_of_table = [&](const auto& change) { return change.table == table; };
    return std::any_of(ddl_.add.begin(), ddl_.add.end(), is_of_table) || std::any_of(ddl_.widen.begin(), ddl_.widen.end(), is_of_table);
}

void Load::choose_ways() {
    for (const TableState& table : plan_.tables()) {
        Way& way = ways_[table.name];
        way = existed(table.name) && is_altered(table.name) ? Way::staged : Way::direct;
        if (table.disposition != Disposition::replace || !existed(table.name)) continue;
        way = table.rows > 0 && is_replaceable(session_, table.name) ? Way::swapped : Way::staged;
    }
    // A merge happens to a root and all that is below it at once.
    for (const TableState& table : plan_.tables()) {
        if (table.disposition != Disposition::merge || ways_.at(table.name) != Way::staged) continue;
        for (const TableState& member : plan_.tables()) {
            if (member.root == table.root) ways_.at(member.name) = Way::staged;
        }
    }
}

// ---- rows ----

std::string Load::type_of_column(const std::string& table, const std::string& column) const {
    const bool is_widened = std::any_of(ddl_.widen.begin(), ddl_.widen.end(), [&](const auto& wider) { return wider.table == table && wider.column.name() == column; });
    if (is_widened) return column_type(*package_.schema().require(table).find(column));
    if (const std::vector<CatalogColumn>* columns = catalog_.find(table)) {
        const auto found = std::find_if(columns->begin(), columns->end(), [&](const CatalogColumn& known) { return known.name == column; });
        if (found != columns->end()) return found->type;
    }
    return column_type(*package_.schema().require(table).find(column));
}

std::vector<CopyField> Load::fields_of(const TableState& table) const {
    std::vector<CopyField> fields;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const SegmentColumn& column = table.columns[i];
        if (table.is_constant(column.name)) continue;
        const std::optional<Wire> wire = find_wire(column.type, type_of_column(table.name, column.name));
        TIPPLE_ASSERT(wire.has_value());
        fields.push_back({.name = column.name, .column = i, .wire = *wire});
    }
    for (const destination::Constant& constant : table.constants) fields.push_back(constant_field(constant));
    return fields;
}

std::uint64_t Load::copy(const Copy& copy, std::stop_token stop) {
    Connection& connection = session_.connection();
    connection.start_copy(copy_statement(copy.target, copy.fields, copy.is_new), stop);
    CopyEncoder encoder(copy.table, copy.fields);
    package::TableReader reader(*context_.files, package_, copy.table, copy.columns, batch_rows,
                                std::clamp(context_.memory_bytes / batches_in_memory, batch_bytes_min, batch_bytes_max), copy.other_columns);
    reader.select(copy.selected.first, copy.selected.count);
    std::uint64_t position = copy.selected.first;
    while (const std::unique_ptr<columns::Batch> batch = reader.next()) {
        encoder.start_batch(batch->view(), position);
        while (encoder.write_rows(copy.dropped)) {
            connection.send(encoder.written(), stop);
            encoder.clear();
        }
        position += batch->rows;
        if (copy.on_rows) copy.on_rows(batch->rows);
    }
    encoder.write_end();
    connection.send(encoder.written(), stop);
    return connection.end_copy(stop);
}

/// All columns of all rows that `dropped` does not have.
std::uint64_t Load::copy_rows(const TableState& table, const std::string& target, std::vector<CopyField> fields, std::stop_token stop) {
    if (table.rows == 0) return 0;
    return copy({.table = table.name,
                 .target = target,
                 .columns = table.columns,
                 .fields = std::move(fields),
                 .other_columns = plan_.has_root_numbers(table.root) ? package::OtherColumns::skip : package::OtherColumns::refuse,
                 .dropped = table.dropped.get(),
                 .selected = *table.selected,
                 .is_new = target != session_.sql().table(table.name) || !existed(table.name),
                 .on_rows = on_rows_},
                stop);
}

/// The key columns of all rows, and behind them each row's position.
std::uint64_t Load::copy_keys(const TableState& table, const std::string& temporary, std::stop_token stop) {
    if (table.rows == 0) return 0;
    std::vector<CopyField> fields;
    for (std::size_t i = 0; i < table.key_columns.size(); ++i) {
        const SegmentColumn& key = table.key_columns[i];
        const schema::Column* column = package_.schema().require(table.name).find(key.name);
        const std::string type = column != nullptr ? column_type(*column) : "bigint";
        fields.push_back({.name = key.name, .column = i, .wire = find_wire(key.type, type).value()});
    }
    const std::string position = destination::Merge::position_name(plan_.find_merge(table.root)->staged_columns, name_rule);
    fields.push_back({.name = position, .source = CopyField::Source::position});
    return copy({.table = table.name,
                 .target = temporary,
                 .columns = table.key_columns,
                 .fields = std::move(fields),
                 .other_columns = package::OtherColumns::skip,
                 .is_new = true},
                stop);
}

void Load::prepare_merge(const std::string& root, std::stop_token stop) {
    if (merges_.contains(root)) return;
    std::vector<destination::MergeTable> members;
    for (const TableState& table : plan_.tables()) {
        if (table.root != root) continue;
        members.push_back({.name = table.name,
                           .rows = table.rows,
                           .existed = existed(table.name),
                           .stage = [this, &table](const std::string& temporary, std::stop_token stop_staging) { return copy_keys(table, temporary, stop_staging); },
                           .dropped = table.dropped});
    }
    destination::Merge& merge =
        merges_.try_emplace(root, session_, package_.schema(), *plan_.find_merge(root), std::move(members), merges_.size()).first->second;
    merge.prepare(stop);
    for (const destination::MergeTable& member : merge.tables()) {
        destination::LoadedTable& loaded = plan_.require(member.name).loaded;
        loaded.deleted += member.deleted;
        loaded.missing = member.missing;
    }
}

std::string Load::staging_of(const TableState& table) const { return session_.sql().temporary(fmt::format("rows_{}", table.number)); }

std::string Load::successor_of(const TableState& table) const {
    return fmt::format("_tipple_{}_{}", load_id_time_us(package_.load_id()), table.number);
}

void Load::copy_to_staging(const TableState& table, std::stop_token stop) {
    if (table.rows == 0) return;
    std::vector<CopyField> fields = fields_of(table);
    std::vector<std::string> definitions;
    for (const SegmentColumn& column : table.columns) {
        definitions.push_back(fmt::format("{} {}", quote_identifier(column.name), type_of_column(table.name, column.name)));
    }
    if (table.disposition == Disposition::merge) {
        const std::string position = position_name(table);
        definitions.push_back(quote_identifier(position) + " bigint");
        fields.push_back({.name = position, .source = CopyField::Source::position});
    }
    session_.execute(session_.sql().create_temporary(staging_of(table), definitions));
    const std::uint64_t rows = copy_rows(table, staging_of(table), std::move(fields), stop);
    if (rows == table.rows || table.is_part()) return;
    throw Error(ErrorKind::data, "table \"{}\": {} rows were staged, the package has {}", table.name, rows, table.rows);
}

/// A table like the one that is to be replaced, with the columns it lacks.
void Load::copy_to_successor(TableState& table, std::stop_token stop) {
    const destination::SqlWriter& sql = session_.sql();
    const std::string successor = successor_of(table);
    session_.execute(fmt::format("CREATE TABLE {} (LIKE {} INCLUDING ALL)", sql.table(successor), sql.table(table.name)));
    alter_columns(table.name, successor);
    table.loaded.inserted = copy_rows(table, sql.table(successor), fields_of(table), stop);
}

void Load::load(const destination::LoadJob& job, std::stop_token stop) {
    TableState& table = plan_.require(job.table);
    TIPPLE_ASSERT(table.disposition == job.disposition && !table.is_loaded && !is_finished_);
    on_rows_ = job.on_rows;
    *table.selected = job.only;
    try {
        if (const package::TableLoad* replacing = plan_.find_replacing(table)) {
            destination::delete_replaced(session_, package_.schema(), catalog_, *replacing, table.number, stop,
                                         [&](const std::string& name, std::uint64_t rows) { plan_.require(name).loaded.deleted += rows; });
        }
        switch (ways_.at(table.name)) {
            case Way::direct:
                if (table.disposition == Disposition::merge) prepare_merge(table.root, stop);
                table.loaded.inserted = copy_rows(table, session_.sql().table(table.name), fields_of(table), stop);
                break;
            case Way::staged:
                copy_to_staging(table, stop);
                if (!table.is_part()) break;
                // A part is loaded only to see whether the table takes it, so it is asked now.
                alter_tables();
                empty_replaced();
                insert_staged(table);
                break;
            case Way::swapped:
                copy_to_successor(table, stop);
                break;
        }
    } catch (const destination::RowsRefused&) {
        throw;
    } catch (const Error& error) {
        fail(error, table);
    }
    table.is_loaded = true;
}

void Load::fail(const Error& error, const TableState& table) const {
    const Failure& failure = session_.connection().failure();
    const bool is_null = failure.state == not_null_violation && !failure.column.empty();
    const Error shown = is_null ? destination::missing_value_error(table.name, failure.column) : error.with_context(fmt::format("table \"{}\"", table.name));
    // A key that is missing in another table may be in this very load, and lacks when only a part of it is loaded.
    if (error.kind() != ErrorKind::data || failure.state.empty() || failure.state == foreign_key_violation) throw shown;
    destination::RowsRefused::Known known{.table = table.name, .column = is_null ? failure.column : "", .dropped = table.dropped};
    if (const std::optional<std::uint64_t> row = failure.copied_row()) known.position = table.dropped->position_of(*row - 1);
    throw destination::RowsRefused(shown, std::move(known));
}

// ---- the end, for which readers wait ----

/// The columns that `table` lacks, and those that must become wider, in it or in the one that takes its place.
void Load::alter_columns(const std::string& table, const std::string& target) {
    for (const destination::DdlPlan::AddColumns& addition : ddl_.add) {
        if (addition.table != table) continue;
        for (const schema::Column& column : addition.columns) session_.execute(session_.sql().add_column(target, column));
    }
    for (const destination::DdlPlan::WidenColumn& wider : ddl_.widen) {
        if (wider.table != table) continue;
        if (target == table) destination::check_widening(session_, wider);
        // A date becomes its midnight in UTC.
        session_.execute("SET LOCAL TimeZone = 'UTC'");
        session_.execute(session_.sql().widen_column(target, wider.column));
    }
}

/// Which staged rows are inserted. What a merge drops is known here, so it goes to the server.
std::string Load::kept_condition(const TableState& table) {
    if (table.dropped->count() == 0) return "";
    const std::string dropped = session_.sql().temporary(fmt::format("dropped_{}", table.number));
    session_.execute(session_.sql().create_temporary(dropped, {"position bigint"}));
    const std::vector<CopyField> fields{{.name = "position", .wire = Wire::int8}};
    session_.connection().start_copy(copy_statement(dropped, fields, true), {});
    CopyEncoder encoder(table.name, fields);
    std::uint64_t position = 0;
    while (position < table.rows) {
        columns::Batch batch{.rows = 0, .names = {"position"}, .columns = {}};
        batch.columns.emplace_back(columns::ColumnType{.type = schema::DataType::bigint});
        for (; position < table.rows && batch.rows < positions_per_batch; ++position) {
            if (!table.dropped->contains(position)) continue;
            batch.columns[0].append_int64(static_cast<std::int64_t>(position));
            ++batch.rows;
        }
        encoder.start_batch(batch.view(), 0);
        while (encoder.write_rows(nullptr)) {
            session_.connection().send(encoder.written(), {});
            encoder.clear();
        }
    }
    encoder.write_end();
    session_.connection().send(encoder.written(), {});
    session_.connection().end_copy({});
    session_.execute(fmt::format("ANALYZE {}", dropped));
    return fmt::format(" WHERE NOT EXISTS (SELECT 1 FROM {} AS d WHERE d.position = r.{})", dropped, quote_identifier(position_name(table)));
}

/// By TRUNCATE, which takes no time. It is refused where others refer to one of the tables: then row by row, nested tables before their parents.
void Load::empty(const std::vector<std::string>& tables) {
    if (tables.empty()) return;
    std::vector<std::string> names;
    std::vector<std::string> relations;
    for (const std::string& table : tables) {
        names.push_back(session_.sql().table(table));
        relations.push_back(session_.sql().literal(names.back()) + "::pg_catalog.regclass");
    }
    const bool is_referred_to =
        session_.query_value(fmt::format("SELECT 1 FROM pg_catalog.pg_constraint WHERE contype = 'f' AND confrelid IN ({0}) AND conrelid NOT IN ({0}) LIMIT 1", join(relations, ", ")))
            .has_value();
    if (!is_referred_to) {
        session_.execute(fmt::format("TRUNCATE {}", join(names, ", ")));
        return;
    }
    for (auto name = names.rbegin(); name != names.rend(); ++name) session_.execute(fmt::format("DELETE FROM {}", *name));
}

/// Those that are replaced by what is staged, together: they may refer to each other. Once.
void Load::empty_replaced() {
    if (std::exchange(are_replaced_empty_, true)) return;
    std::vector<std::string> tables;
    for (const TableState& table : plan_.tables()) {
        if (table.disposition == Disposition::replace && existed(table.name) && ways_.at(table.name) == Way::staged) tables.push_back(table.name);
    }
    try {
        empty(tables);
    } catch (const Error& error) {
        fail(error, plan_.require(tables.front()));
    }
}

void Load::insert_staged(TableState& table) {
    const std::string target = session_.sql().table(table.name);
    try {
        if (table.disposition == Disposition::merge) prepare_merge(table.root, {});
        if (table.rows == 0) return;
        std::vector<std::string> names;
        for (const SegmentColumn& column : table.columns) names.push_back(column.name);
        const std::string list = session_.sql().list(names);
        table.loaded.inserted =
            session_.execute(fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} AS r{}", target, list, list, staging_of(table), kept_condition(table)));
    } catch (const Error& error) {
        fail(error, table);
    }
}

void Load::take_place(const TableState& table) {
    const std::string target = session_.sql().table(table.name);
    const std::string successor = session_.sql().table(successor_of(table));
    // Something may have come to depend on the table while the rows were on their way; now it is locked.
    if (is_replaceable(session_, table.name)) {
        session_.execute(fmt::format("DROP TABLE {}; ALTER TABLE {} RENAME TO {}", target, successor, quote_identifier(table.name)));
        return;
    }
    alter_columns(table.name, table.name);
    empty({table.name});
    session_.execute(fmt::format("INSERT INTO {0} SELECT * FROM {1}; DROP TABLE {1}", target, successor));
}

std::vector<std::string> Load::tables_to_lock() const {
    std::vector<std::string> tables;
    for (const TableState& table : plan_.tables()) {
        const bool is_emptied = table.disposition == Disposition::replace && existed(table.name);
        if (is_emptied || is_altered(table.name)) tables.push_back(table.name);
    }
    // In one order, so that two loads do not wait for each other.
    std::sort(tables.begin(), tables.end());
    return tables;
}

/// Whether a merge looks at no column that the load adds or widens.
bool Load::merges_before_altering(const std::string& root) {
    const destination::MergePlan& merge = *plan_.find_merge(root);
    // What people wrote themselves may name any column, and versions and snapshots have columns of their own.
    if (merge.strategy == schema::MergeStrategy::scd2 || merge.missing || !merge.destination_scope.empty()) return false;
    const auto is_looked_at = [&](const schema::Column& column) {
        const std::string& name = column.name();
        return name.starts_with(schema::internal_prefix) || column.flag("row_key") || column.flag("parent_key") || column.flag("root_key") ||
               std::find(merge.staged_columns.begin(), merge.staged_columns.end(), name) != merge.staged_columns.end();
    };
    std::vector<std::string> tables;
    for (const TableState& table : plan_.tables()) {
        if (table.root != root || !existed(table.name)) continue;
        tables.push_back(session_.sql().literal(session_.sql().table(table.name)) + "::pg_catalog.regclass");
        for (const destination::DdlPlan::AddColumns& addition : ddl_.add) {
            if (addition.table == table.name && std::any_of(addition.columns.begin(), addition.columns.end(), is_looked_at)) return false;
        }
        if (std::any_of(ddl_.widen.begin(), ddl_.widen.end(), [&](const auto& wider) { return wider.table == table.name; })) return false;
    }
    // A table for which checks wait until the commit cannot be altered any more.
    return !session_.query_value(fmt::format("SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid IN ({}) AND tgdeferrable LIMIT 1", join(tables, ", "))).has_value();
}

/// What can be done before readers have to wait.
void Load::prepare_merges() {
    for (const TableState& table : plan_.tables()) {
        const bool is_staged_merge = table.disposition == Disposition::merge && table.name == table.root && ways_.at(table.name) == Way::staged;
        if (!is_staged_merge || !existed(table.name) || !merges_before_altering(table.root)) continue;
        try {
            prepare_merge(table.root, {});
        } catch (const Error& error) {
            fail(error, table);
        }
    }
}

/// From here on readers wait. Once.
void Load::alter_tables() {
    if (std::exchange(are_tables_altered_, true)) return;
    session_.lock_exclusively(tables_to_lock());
    for (const auto& [table, way] : ways_) {
        if (way != Way::swapped) alter_columns(table, table);
    }
}

std::vector<destination::LoadedTable> Load::finish() {
    TIPPLE_ASSERT(!is_finished_);
    prepare_merges();
    alter_tables();
    empty_replaced();
    std::vector<destination::LoadedTable> result;
    for (TableState& table : plan_.tables()) {
        TIPPLE_ASSERT(table.rows == 0 || table.is_loaded);
        const Way way = ways_.at(table.name);
        if (way == Way::staged) insert_staged(table);
        if (way == Way::swapped) take_place(table);
        table.check_counts();
        result.push_back(table.loaded);
    }
    destination::write_system_rows(session_, package_, context_.clock->now_us());
    is_finished_ = true;
    return result;
}

void Load::commit() {
    TIPPLE_ASSERT(is_finished_);
    session_.commit();
}

}  // namespace tipple::destinations::postgres
