#include "tipple/sources/parquet_nanoseconds.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/random.h"
#include "tipple/core/text.h"
#include "tipple/io/file_system.h"
#include "tipple/sources/parquet_footer.h"

namespace tipple::sources {

namespace {

constexpr std::size_t batch_rows = 16'384;
constexpr std::int64_t ns_per_us = 1'000;
/// The length of the footer and the mark.
constexpr std::size_t tail_bytes = 8;
constexpr std::string_view mark = "PAR1";

/// Types in which the engine shows nanoseconds that it has cut.
bool may_be_cut(const engine::ReadColumn& column) { return column.sql_type == "TIMESTAMP WITH TIME ZONE" || column.sql_type == "TIME"; }

struct Footer {
    std::uint64_t at = 0;
    std::string bytes;  ///< empty where there is none
};

Footer read_footer(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = file.tellg();
    char tail[tail_bytes] = {};
    if (size < static_cast<std::streamoff>(tail_bytes) || !file.seekg(size - static_cast<std::streamoff>(tail_bytes)) || !file.read(tail, tail_bytes)) return {};
    std::uint32_t length = 0;
    std::memcpy(&length, tail, sizeof length);
    if (std::string_view(tail + 4, 4) != mark || length > size - static_cast<std::streamoff>(tail_bytes)) return {};
    Footer footer{.at = static_cast<std::uint64_t>(size) - tail_bytes - length, .bytes = std::string(length, '\0')};
    if (!file.seekg(static_cast<std::streamoff>(footer.at)) || !file.read(footer.bytes.data(), length)) return {};
    return footer;
}

void copy_range(std::ifstream& from, std::ofstream& to, std::uint64_t at, std::uint64_t length, std::string& buffer) {
    from.seekg(static_cast<std::streamoff>(at));
    to.seekp(static_cast<std::streamoff>(at));
    while (length > 0 && from && to) {
        const auto part = static_cast<std::streamsize>(std::min<std::uint64_t>(length, buffer.size()));
        if (from.read(buffer.data(), part)) to.write(buffer.data(), part);
        length -= static_cast<std::uint64_t>(part);
    }
}

columns::ColumnBuilder to_times(const columns::ColumnView& nanoseconds, columns::ColumnType type) {
    columns::ColumnBuilder times(type);
    times.reserve(nanoseconds.length, 0);
    for (std::size_t row = 0; row < nanoseconds.length; ++row) {
        nanoseconds.is_null(row) ? times.append_null() : times.append_nanoseconds(nanoseconds.value<std::int64_t>(row));
    }
    return times;
}

std::string rows_of(const std::string& path) { return fmt::format("SELECT * FROM read_parquet({}, hive_partitioning = false)", engine::quote_path(path)); }

}  // namespace

ParquetNanoseconds::ParquetNanoseconds(engine::Engine& engine, const std::string& path, const std::vector<engine::ReadColumn>& columns,
                                       const extract::ResourceContext& context)
    : path_(path), columns_(columns) {
    if (std::none_of(columns.begin(), columns.end(), may_be_cut)) return;
    Footer footer = read_footer(path);
    std::vector<std::string> names;
    for (NanosecondColumn& column : declare_wall_clocks(footer.bytes)) {
        if (column.place >= columns.size() || !may_be_cut(columns[column.place])) continue;
        places_.push_back(column.place);
        names.push_back(engine::quote_literal(column.name));
    }
    if (places_.empty()) return;
    copy_ = io::join_path(context.temp_folder, fmt::format("nanoseconds-{:016x}.parquet", xxh3_64(random_id(16))));
    // What fails here fails again where the file is written.
    std::error_code ignored;
    std::filesystem::create_directories(context.temp_folder, ignored);
    try {
        copy_columns(engine, footer.bytes, footer.at, names);
        any_ = find_any(engine, context.stop);
    } catch (...) {
        std::filesystem::remove(copy_, ignored);
        throw;
    }
}

ParquetNanoseconds::~ParquetNanoseconds() {
    std::error_code ignored;
    if (!copy_.empty()) std::filesystem::remove(copy_, ignored);
}

/// What lies between the columns is left out of the copy: there are holes, which take no room.
void ParquetNanoseconds::copy_columns(engine::Engine& engine, const std::string& footer, std::uint64_t footer_at, const std::vector<std::string>& names) const {
    std::ifstream from(path_, std::ios::binary);
    std::ofstream to(copy_, std::ios::binary);
    std::string buffer(std::size_t{1} << 20, '\0');
    copy_range(from, to, 0, mark.size(), buffer);
    const std::string chunks = fmt::format(
        "SELECT CASE WHEN dictionary_page_offset > 0 THEN least(dictionary_page_offset, data_page_offset) ELSE data_page_offset END, total_compressed_size "
        "FROM parquet_metadata({}) WHERE path_in_schema IN ({})",
        engine::quote_path(path_), join(names, ", "));
    engine.read(chunks, batch_rows, {}, [&](const columns::Batch& batch) {
        const columns::BatchView view = batch.view();
        for (std::size_t row = 0; row < view.rows; ++row) {
            copy_range(from, to, static_cast<std::uint64_t>(view.columns[0].value<std::int64_t>(row)), static_cast<std::uint64_t>(view.columns[1].value<std::int64_t>(row)), buffer);
        }
        return true;
    });
    const auto length = static_cast<std::uint32_t>(footer.size());
    to.seekp(static_cast<std::streamoff>(footer_at));
    to.write(footer.data(), static_cast<std::streamsize>(footer.size()));
    to.write(reinterpret_cast<const char*>(&length), sizeof length);
    to.write(mark.data(), static_cast<std::streamsize>(mark.size()));
    to.close();
    if (!from || !to) throw Error(ErrorKind::local, "the columns of times of {} cannot be copied to {}: make room there, or choose another folder (--data-dir)", path_, copy_);
}

/// `rows` with the columns c0, c1, …
std::string ParquetNanoseconds::as_relation(const std::string& rows) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < columns_.size(); ++i) names.push_back(fmt::format("c{}", i));
    return fmt::format("({}) AS t({})", rows, join(names, ", "));
}

bool ParquetNanoseconds::find_any(engine::Engine& engine, const std::stop_token& stop) const {
    std::vector<std::string> conditions;
    for (const std::size_t place : places_) conditions.push_back(fmt::format("epoch_ns(c{}) % {} <> 0", place, ns_per_us));
    bool found = false;
    engine.read(fmt::format("SELECT 1 FROM {} WHERE {} LIMIT 1", as_relation(rows_of(copy_)), join(conditions, " OR ")), batch_rows, stop, [&](const columns::Batch& batch) {
        found = batch.rows > 0;
        return false;
    });
    return found;
}

std::string ParquetNanoseconds::statement(const std::string& rows) const {
    std::vector<std::string> exact;
    std::vector<std::string> all;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const bool is_copied = std::find(places_.begin(), places_.end(), i) != places_.end();
        if (is_copied) exact.push_back(fmt::format("epoch_ns(c{}) AS n{}", i, i));
        all.push_back(fmt::format("{}{} AS {}", is_copied ? 'n' : 'c', i, engine::quote_identifier(columns_[i].name)));
    }
    return fmt::format("SELECT {} FROM {} POSITIONAL JOIN (SELECT {} FROM {}) AS nanoseconds", join(all, ", "), as_relation(rows), join(exact, ", "),
                       as_relation(rows_of(copy_)));
}

void ParquetNanoseconds::restore(columns::Batch& batch) const {
    for (const std::size_t place : places_) batch.columns[place] = to_times(batch.columns[place].view(), columns_[place].type);
}

}  // namespace tipple::sources
