#include "tipple/destination/rounded_times.h"

#include "tipple/columns/value_at.h"
#include "tipple/core/text.h"
#include "tipple/schema/coerce.h"

namespace tipple::destination {

namespace {

struct Rounded {
    int digits = all_digits;
    std::uint64_t count = 0;
    std::string first;
};

std::int64_t unit_us(int digits) {
    std::int64_t unit = 1;
    for (int i = digits; i < all_digits; ++i) unit *= 10;
    return unit;
}

void count(const columns::ColumnView& column, std::size_t rows, Rounded& rounded) {
    const std::int64_t unit = unit_us(rounded.digits);
    const auto* values = reinterpret_cast<const std::int64_t*>(column.values);
    for (std::size_t row = 0; row < rows; ++row) {
        if (column.is_null(row) || values[column.is_constant ? 0 : row] % unit == 0) continue;
        if (rounded.count++ == 0) rounded.first = schema::coerce(schema::DataType::text, columns::value_at(column, row))->as<std::string>();
    }
}

void check_table(io::FileSystem& files, const package::Package& package, const schema::Table& table, KeptDigits kept, const Log& log) {
    std::vector<package::SegmentColumn> fine;
    std::vector<Rounded> rounded;
    for (const schema::Column& column : table.columns()) {
        if (!column.is_complete()) continue;
        const columns::ColumnType type = columns::column_type(column);
        if (type.type != schema::DataType::timestamp && type.type != schema::DataType::time) continue;
        const int digits = kept(column);
        if (digits >= all_digits) continue;
        fine.push_back({.name = column.name(), .type = type});
        rounded.push_back({.digits = digits});
    }
    if (fine.empty()) return;
    constexpr std::size_t batch_rows = 65'536;
    package::TableReader reader(files, package, table.name(), fine, batch_rows, limits::text_buffer_bytes_max, package::OtherColumns::skip);
    while (const std::unique_ptr<columns::Batch> batch = reader.next()) {
        for (std::size_t i = 0; i < fine.size(); ++i) count(batch->columns[i].view(), batch->rows, rounded[i]);
    }
    for (std::size_t i = 0; i < fine.size(); ++i) {
        if (rounded[i].count == 0) continue;
        log.warning("table \"{}\", column \"{}\" keeps {} digits behind the second, and {} values with more were rounded, the first of them {}; a greater precision keeps them", table.name(), fine[i].name,
                    rounded[i].digits, format_count(rounded[i].count), rounded[i].first);
    }
}

}  // namespace

void warn_of_rounded_times(io::FileSystem& files, const package::Package& package, KeptDigits kept, const Log& log) {
    for (const auto& table : package.schema().tables()) check_table(files, package, *table, kept, log);
}

}  // namespace tipple::destination
