#include "tipple/columns/widen.h"

#include "tipple/schema/civil.h"
#include "tipple/core/text.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/schema/widening.h"

namespace tipple::columns {

namespace {

int128 power_of_ten(int exponent) {
    int128 power = 1;
    for (int i = 0; i < exponent; ++i) power *= 10;
    return power;
}

Error no_time(std::string_view text) { return Error(ErrorKind::corrupt, "the text \"{}\" is no date or timestamp", excerpt(text)); }

void append_time(ColumnBuilder& builder, std::string_view text) {
    if (builder.type().type == DataType::date) {
        const std::optional<schema::Date> date = schema::date_from_text(text);
        if (!date) throw no_time(text);
        builder.append_int32(date->days);
        return;
    }
    const std::optional<schema::Timestamp> timestamp = schema::timestamp_from_text(text);
    if (!timestamp) throw no_time(text);
    builder.append_int64(schema::apply_timezone(*timestamp, builder.type().timezone).us);
}

/// One value that is not null and of another type than the builder's.
void append_value(ColumnBuilder& builder, const ColumnView& source, std::size_t row) {
    const ColumnType& to = builder.type();
    switch (source.type.type) {
        case DataType::bigint: {
            const auto number = source.value<std::int64_t>(row);
            if (to.type == DataType::double_) return builder.append_double(static_cast<double>(number));
            return builder.append_int128(number * power_of_ten(to.scale));
        }
        case DataType::decimal:
            return builder.append_int128(source.value<int128>(row) * power_of_ten(to.scale - source.type.scale));
        case DataType::date:
            return builder.append_int64(source.value<std::int32_t>(row) * schema::civil::us_per_day);
        case DataType::timestamp:
            return builder.append_int64(source.value<std::int64_t>(row));
        default:
            return append_time(builder, source.text(row));
    }
}

}  // namespace

bool can_widen(const ColumnType& from, const ColumnType& to) {
    if (from == to) return true;
    switch (from.type) {
        case DataType::bigint:
            return to.type == DataType::double_ || (to.type == DataType::decimal && to.precision - to.scale >= schema::bigint_digits.precision);
        case DataType::decimal:
            return to.type == DataType::decimal && to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
        case DataType::date:
            return to.type == DataType::timestamp;
        // Wall clocks are held as if they were UTC.
        case DataType::timestamp:
            return to.type == DataType::timestamp;
        case DataType::text:
            return to.type == DataType::timestamp || to.type == DataType::date;
        default:
            return false;
    }
}

void append_widened(ColumnBuilder& builder, const ColumnView& source, std::size_t from, std::size_t rows) {
    if (source.type == builder.type()) return builder.append_rows(source, from, rows);
    for (std::size_t row = from; row < from + rows; ++row) {
        if (source.is_null(row)) {
            builder.append_null();
        } else {
            append_value(builder, source, row);
        }
    }
}

}  // namespace tipple::columns
