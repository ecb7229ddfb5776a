#include "tipple/sources/parquet_reader.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/engine/engine.h"
#include "tipple/sources/origin_columns.h"
#include "tipple/sources/parquet_nanoseconds.h"

namespace tipple::sources {

namespace {

/// Rows handed over at once: about a page.
constexpr std::size_t batch_rows = 16'384;

engine::EngineOptions engine_options(const extract::ResourceContext& context) {
    return {.memory_bytes = context.memory_bytes, .threads = context.threads, .temp_folder = context.temp_folder};
}

/// The engine's message without its advice, which is for people who write SQL.
std::string first_lines(const std::string& message, std::size_t count) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < count && end != std::string::npos; ++i) end = message.find('\n', end == 0 ? 0 : end + 1);
    std::string text = message.substr(0, end);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

/// Types that a file can keep when it is loaded as it lies: each is exactly one column type of ours.
bool is_plain_type(const std::string& sql_type) {
    static const std::set<std::string> plain = {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT",  "UTINYINT", "USMALLINT", "UINTEGER",
                                                "FLOAT",   "DOUBLE",  "VARCHAR",  "BLOB",    "DATE",    "TIME",     "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
                                                "TIMESTAMP_S", "TIMESTAMP_MS"};
    return plain.contains(sql_type) || sql_type.starts_with("DECIMAL");
}

std::uint64_t count_rows(engine::Engine& engine, const std::string& path) {
    const std::string sql = fmt::format("SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata({})", engine::quote_path(path));
    return std::stoull(engine.query_value(sql).value_or("0"));
}

}  // namespace

void read_parquet(const ParquetInput& file, const extract::ResourceContext& context, extract::Output& out) {
    engine::Engine engine(engine_options(context));
    // The engine would make columns of folders unasked, and put their values in the place of the file's.
    const std::string sql = fmt::format("SELECT * FROM read_parquet({}, hive_partitioning = false)", engine::quote_path(file.path));
    try {
        const std::vector<engine::ReadColumn> columns = engine.describe(sql);
        const ParquetNanoseconds nanoseconds(engine, file.path, columns, context);
        const bool is_plain = std::all_of(columns.begin(), columns.end(), [](const auto& column) { return is_plain_type(column.sql_type); });
        if (file.in_place != nullptr && file.origin_columns == nullptr && is_plain && !nanoseconds.any()) {
            extract::FileOffer offer{.path = file.path, .size = file.in_place->size, .modified_ns = file.in_place->modified_ns, .rows = count_rows(engine, file.path), .columns = {}};
            for (const engine::ReadColumn& column : columns) offer.columns.emplace_back(column.name, column.type);
            if (out.offer_file(offer)) return;
        }
        extract::Origin origin{.name = file.name};
        engine.read(nanoseconds.any() ? nanoseconds.statement(sql) : sql, batch_rows, context.stop, [&](columns::Batch batch) {
            if (nanoseconds.any()) nanoseconds.restore(batch);
            const std::uint64_t rows = batch.rows;
            extract::ColumnPage page{.batch = std::move(batch), .origin = origin};
            if (file.origin_columns != nullptr) {
                page.origin_columns = append_origin_columns(*file.origin_columns, [&](std::size_t row) { return origin.record + row + 1; }, file.name, page.batch);
            }
            out.write(std::move(page));
            origin.record += rows;
            return out.wants_more();
        });
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::usage) throw;
        throw Error(ErrorKind::data, "{}: {}", file.name, first_lines(error.what(), 2));
    }
}

}  // namespace tipple::sources
