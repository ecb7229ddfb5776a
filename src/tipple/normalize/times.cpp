#include "tipple/normalize/times.h"

#include <fmt/format.h>

#include "tipple/schema/coerce.h"

namespace tipple::normalize {

namespace {

constexpr std::int64_t us_per_second = 1'000'000;

}  // namespace

std::int64_t kept_unit_us(const Rules& rules, const schema::Column& column) {
    const auto type = column.data_type();
    if (rules.kept_time_digits == nullptr || (type != schema::DataType::timestamp && type != schema::DataType::time)) return 1;
    std::int64_t unit = us_per_second;
    for (int digits = rules.kept_time_digits(column); digits > 0 && unit > 1; --digits) unit /= 10;
    return unit;
}

bool is_fine_time(const schema::Value& value, std::int64_t unit_us) {
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) return timestamp->ns != 0 || timestamp->us % unit_us != 0;
    const auto* time = value.get_if<schema::Time>();
    return time != nullptr && (time->ns != 0 || time->us % unit_us != 0);
}

DataNote::Kind note_of_fine_times(std::int64_t unit_us) { return unit_us == 1 ? DataNote::Kind::nanoseconds_cut : DataNote::Kind::times_rounded; }

std::string_view remedy_of_fine_times(std::int64_t unit_us) {
    if (unit_us != 1) return remedy_more_digits;
    return "to keep nanoseconds, declare the column as text (--column, or columns in a project); to cut them";
}

std::string describe_fine_time(const schema::Value& time, std::int64_t unit_us) {
    int digits = 0;
    for (std::int64_t unit = us_per_second; unit > unit_us; unit /= 10) ++digits;
    return fmt::format("the time {} has more digits behind the second than the {} that the column keeps", schema::coerce(schema::DataType::text, time)->as<std::string>(), digits);
}

}  // namespace tipple::normalize
