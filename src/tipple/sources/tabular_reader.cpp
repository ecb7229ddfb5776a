#include "tipple/sources/tabular_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tipple/core/text.h"
#include "tipple/engine/engine.h"

namespace tipple::sources {

namespace {

/// Rows handed over at once: about a page.
constexpr std::size_t batch_rows = 16'384;

engine::EngineOptions engine_options(const extract::ResourceContext& context) {
    return {.memory_bytes = context.memory_bytes, .threads = context.threads, .temp_folder = context.temp_folder};
}

/// The arguments by which both the reader and the sniffer of the engine read a file.
std::string csv_arguments(const std::string& path, DataFormat format, const CsvOptions& options) {
    // The engine would go by the name for the compression, and what comes here is not compressed, whatever it is called.
    std::string arguments = fmt::format("{}, header = {}, compression = 'none'", engine::quote_path(path), options.has_header);
    if (format == DataFormat::tsv && options.delimiter.empty()) {
        arguments += ", delim = '\t'";
    } else if (!options.delimiter.empty()) {
        arguments += fmt::format(", delim = {}", engine::quote_literal(options.delimiter));
    }
    return arguments;
}

std::string csv_sql(const std::string& arguments, bool skips_bad_lines, const std::set<std::string>& text_columns) {
    std::string sql = "SELECT * FROM read_csv(" + arguments;
    if (skips_bad_lines) sql += ", ignore_errors = true, store_rejects = true";
    if (!text_columns.empty()) {
        std::vector<std::string> types;
        for (const std::string& column : text_columns) types.push_back(fmt::format("{}: 'VARCHAR'", engine::quote_literal(column)));
        sql += fmt::format(", types = {{{}}}", join(types, ", "));
    }
    return sql + ")";
}

/// Dates in a form of their own, which the engine found out: it then takes that form and no other.
struct CsvFormats {
    bool has_date = false;
    bool has_timestamp = false;
};
CsvFormats sniff_formats(engine::Engine& engine, const std::string& arguments) {
    const engine::Result result = engine.query(fmt::format("SELECT DateFormat, TimestampFormat FROM sniff_csv({})", arguments));
    // The common form does not count: with that one, too, the engine takes what has more behind it.
    const auto is_own = [](const std::optional<std::string>& form) { return form && !form->starts_with("%Y-%m-%d"); };
    if (result.rows.empty()) return {};
    return {.has_date = is_own(result.rows[0][0]), .has_timestamp = is_own(result.rows[0][1])};
}

/// What each column is, where its values are understood here. `columns`: as the engine guesses them.
std::vector<std::optional<CsvType>> choose_types(engine::Engine& engine, const std::string& arguments, const std::vector<engine::ReadColumn>& columns) {
    std::vector<std::optional<CsvType>> types;
    bool has_dates = false;
    for (const engine::ReadColumn& column : columns) {
        types.push_back(csv_type(column.sql_type));
        has_dates = has_dates || types.back() == CsvType::date || types.back() == CsvType::timestamp || types.back() == CsvType::timestamp_tz;
    }
    if (!has_dates) return types;
    const CsvFormats formats = sniff_formats(engine, arguments);
    for (std::optional<CsvType>& type : types) {
        const bool is_timestamp = type == CsvType::timestamp || type == CsvType::timestamp_tz;
        if ((type == CsvType::date && formats.has_date) || (is_timestamp && formats.has_timestamp)) type.reset();
    }
    return types;
}

/// The column whose guessed type did not hold, out of the engine's message.
std::optional<std::string> column_to_widen(const std::string& message) {
    constexpr std::string_view before = "Error when converting column \"";
    const std::size_t found = message.find(before);
    if (found == std::string::npos) return std::nullopt;
    const std::size_t start = found + before.size();
    // Names stand there as they are, quotes included.
    const std::size_t end = message.find("\". ", start);
    if (end == std::string::npos) return std::nullopt;
    return message.substr(start, end - start);
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

void TabularReader::read_csv(const std::string& path, const std::string& name, DataFormat format, const CsvOptions& options) {
    const CsvFile file{.path = path, .name = name, .format = format, .options = options};
    CsvTypes types;
    while (!try_read_csv(file, types)) out_.restart_input();
}

bool TabularReader::try_read_csv(const CsvFile& file, CsvTypes& types) {
    engine::Engine engine(engine_options(context_));
    const std::string arguments = csv_arguments(file.path, file.format, file.options);
    extract::Origin origin{.name = file.name};
    try {
        const std::vector<engine::ReadColumn> guessed = engine.describe(csv_sql(arguments, context_.skips_bad_records, {}));
        std::vector<std::optional<CsvType>> chosen = choose_types(engine, arguments, guessed);
        std::set<std::string> text_columns;
        for (std::size_t i = 0; i < guessed.size(); ++i) {
            const auto known = types.find(guessed[i].name);
            if (known != types.end()) chosen[i] = known->second;
            if (known != types.end() || chosen[i]) text_columns.insert(guessed[i].name);
        }
        bool has_misfit = false;
        const auto sink = [&](columns::Batch batch) {
            for (std::size_t i = 0; i < batch.columns.size(); ++i) {
                if (!chosen[i]) continue;
                columns::ColumnBuilder values(column_type(*chosen[i]));
                if (const std::optional<std::string> misfit = append_csv_values(batch.columns[i].view(), *chosen[i], values)) {
                    types[guessed[i].name] = wider_csv_type(*chosen[i], *misfit);
                    context_.log.info("{}: column \"{}\" is not what its first values look like (\"{}\"); reading it again, from the start", file.name,
                                      guessed[i].name, *misfit);
                    has_misfit = true;
                } else {
                    batch.columns[i] = std::move(values);
                }
            }
            if (has_misfit) return false;
            const std::uint64_t rows = batch.rows;
            out_.write(extract::ColumnPage{.batch = std::move(batch), .origin = origin});
            origin.record += rows;
            return out_.wants_more();
        };
        engine.read(csv_sql(arguments, context_.skips_bad_records, text_columns), batch_rows, context_.stop, sink);
        if (has_misfit) return false;
        if (context_.skips_bad_records) report_rejects(engine, file.name);
        return true;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
        const std::optional<std::string> column = column_to_widen(error.what());
        if (!column || !types.try_emplace(*column).second) {
            throw Error(ErrorKind::data, "{}: {}; nothing was loaded; to leave such lines out: --on-bad-record skip", file.name,
                        first_lines(error.what(), 4));
        }
        context_.log.info("{}: column \"{}\" is not what its first values look like; reading it as text, from the start", file.name, *column);
        return false;
    }
}

void TabularReader::report_rejects(engine::Engine& engine, const std::string& name) {
    const engine::Result rejects = engine.query("SELECT line, byte_position, column_name, error_message, csv_line FROM reject_errors ORDER BY line");
    std::uint64_t last_line = 0;
    for (const auto& row : rejects.rows) {
        extract::SkippedText skipped;
        skipped.origin = {.name = name};
        skipped.origin.line = std::stoull(row[0].value_or("0"));
        // Several things may be wrong with one line, and it is left out once.
        if (std::exchange(last_line, skipped.origin.line) == skipped.origin.line) continue;
        skipped.origin.byte_offset = std::stoull(row[1].value_or("0"));
        skipped.column = row[2].value_or("");
        skipped.reason = first_lines(row[3].value_or(""), 1);
        skipped.text = row[4].value_or("");
        out_.skip(skipped);
    }
}

void TabularReader::read_parquet(const std::string& path, const std::string& name, const io::FileInfo* in_place) {
    engine::Engine engine(engine_options(context_));
    const std::string sql = fmt::format("SELECT * FROM read_parquet({})", engine::quote_path(path));
    try {
        const std::vector<engine::ReadColumn> columns = engine.describe(sql);
        const bool is_plain = std::all_of(columns.begin(), columns.end(), [](const auto& column) { return is_plain_type(column.sql_type); });
        if (in_place != nullptr && is_plain) {
            extract::FileOffer offer{.path = path, .size = in_place->size, .modified_ns = in_place->modified_ns, .rows = count_rows(engine, path), .columns = {}};
            for (const engine::ReadColumn& column : columns) offer.columns.emplace_back(column.name, column.type);
            if (out_.offer_file(offer)) return;
        }
        extract::Origin origin{.name = name};
        engine.read(sql, batch_rows, context_.stop, [&](columns::Batch batch) {
            const std::uint64_t rows = batch.rows;
            out_.write(extract::ColumnPage{.batch = std::move(batch), .origin = origin});
            origin.record += rows;
            return out_.wants_more();
        });
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::usage) throw;
        throw Error(ErrorKind::data, "{}: {}", name, first_lines(error.what(), 2));
    }
}

}  // namespace tipple::sources
