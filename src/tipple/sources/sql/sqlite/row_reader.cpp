#include "tipple/sources/sql/sqlite/row_reader.h"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "tipple/columns/value_at.h"
#include "tipple/core/text.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::sources::sql::sqlite {

using columns::ColumnBuilder;
using columns::ColumnType;
using columns::int128;
using schema::DataType;
using schema::Value;
namespace civil = schema::civil;

namespace {

/// Integers beyond lose digits as doubles.
constexpr std::int64_t double_integer_max = std::int64_t{1} << 53;
/// Julian days up to the end of year 9999: as the database's own functions tell them from seconds.
constexpr double julian_max = 5'373'484.5;
/// Times written as integers: beyond these they count in smaller units. Seconds reach year 5138 by then.
constexpr std::int64_t seconds_max = 100'000'000'000;
constexpr std::int64_t milliseconds_max = seconds_max * 1'000;

/// One value of the row that a query stands at. What it is stored as is asked for once.
struct Cell {
    const Query& row;
    int column;
    int stored = sqlite3_column_type(row.handle(), column);

    std::int64_t integer() const { return row.integer(column); }
    double real() const { return sqlite3_column_double(row.handle(), column); }
    std::string_view text() const { return row.text(column); }
    std::string_view blob() const {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row.handle(), column));
        return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(row.handle(), column)));
    }
};

bool is_in_years(std::int64_t us) { return us >= schema::timestamp_us_min && us <= schema::timestamp_us_max; }

TimeForm form_of_integer(std::int64_t value) {
    const std::int64_t size = value < 0 ? -(value + 1) : value;
    if (size < seconds_max) return TimeForm::seconds;
    return size < milliseconds_max ? TimeForm::milliseconds : TimeForm::microseconds;
}

/// Microseconds since 1970.
std::optional<std::int64_t> us_from_integer(std::int64_t value) {
    const TimeForm form = form_of_integer(value);
    const std::int64_t factor = form == TimeForm::seconds ? 1'000'000 : form == TimeForm::milliseconds ? 1'000 : 1;
    const std::int64_t us = value * factor;
    return is_in_years(us) ? std::optional(us) : std::nullopt;
}

/// A julian day, to the millisecond as the database reads it, else seconds.
std::optional<std::int64_t> us_from_real(double value) {
    const bool is_julian = value >= 0 && value < julian_max;
    const double us = is_julian ? std::round((value - julian_of_1970) * 86'400e3) * 1e3 : std::round(value * 1e6);
    if (!(std::abs(us) < 9e18) || !is_in_years(static_cast<std::int64_t>(us))) return std::nullopt;
    return static_cast<std::int64_t>(us);
}

std::optional<schema::Timestamp> at(std::optional<std::int64_t> us) { return us ? std::optional(schema::Timestamp{.us = *us}) : std::nullopt; }

/// What has a zone is told in UTC.
std::optional<schema::Timestamp> time_of(const Cell& cell) {
    switch (cell.stored) {
        case SQLITE_INTEGER:
            return at(us_from_integer(cell.integer()));
        case SQLITE_FLOAT:
            return at(us_from_real(cell.real()));
        case SQLITE_TEXT: {
            const std::optional<schema::DateTimeText> parsed = schema::parse_datetime(cell.text());
            if (!parsed || parsed->kind == schema::DateTimeKind::time) return std::nullopt;
            const std::int64_t us = parsed->us - parsed->offset_seconds.value_or(0) * civil::us_per_second;
            return is_in_years(us) ? std::optional(schema::Timestamp{.us = us, .ns = parsed->ns}) : std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

/// The decimal times ten to the power of the scale; nothing when it has more digits than the column.
std::optional<int128> scaled(const schema::Decimal& decimal, const ColumnType& type) {
    if (decimal.special != schema::Decimal::Special::none) return std::nullopt;
    std::string digits = decimal.digits;
    std::int64_t zeros = static_cast<std::int64_t>(decimal.exponent) + type.scale;
    for (; zeros < 0 && digits.size() > 1 && digits.back() == '0'; ++zeros) digits.pop_back();
    if (digits == "0") return 0;
    if (zeros < 0 || static_cast<std::int64_t>(digits.size()) + zeros > type.precision) return std::nullopt;
    int128 number = 0;
    for (const char digit : digits) number = number * 10 + (digit - '0');
    for (; zeros > 0; --zeros) number *= 10;
    return decimal.negative ? -number : number;
}

std::optional<schema::Decimal> decimal_of(const Cell& cell) {
    switch (cell.stored) {
        case SQLITE_INTEGER: {
            const std::int64_t value = cell.integer();
            std::string digits = std::to_string(value);
            if (value < 0) digits.erase(0, 1);
            return schema::Decimal{.negative = value < 0, .digits = std::move(digits)};
        }
        case SQLITE_FLOAT:
            return schema::decimal_from_double(cell.real());
        case SQLITE_TEXT:
            return schema::parse_decimal(cell.text());
        default:
            return std::nullopt;
    }
}

/// The value as it is stored, whatever its column says.
Value stored_value(const Cell& cell) {
    switch (cell.stored) {
        case SQLITE_INTEGER:
            return cell.integer();
        case SQLITE_FLOAT:
            return cell.real();
        case SQLITE_TEXT: {
            const std::string_view text = cell.text();
            if (is_valid_utf8(text)) return std::string(text);
            return schema::Binary{.bytes = std::string(text)};
        }
        case SQLITE_BLOB:
            return schema::Binary{.bytes = std::string(cell.blob())};
        default:
            return {};
    }
}

bool append_time(ColumnBuilder& values, const Cell& cell) {
    const DataType type = values.type().type;
    if (type == DataType::time) {
        if (cell.stored != SQLITE_TEXT) return false;
        const std::optional<schema::DateTimeText> parsed = schema::parse_datetime(cell.text());
        if (!parsed || parsed->kind != schema::DateTimeKind::time || parsed->offset_seconds) return false;
        values.append_time(parsed->us, parsed->ns);
        return true;
    }
    const std::optional<schema::Timestamp> time = time_of(cell);
    if (!time) return false;
    if (type == DataType::timestamp) {
        values.append_time(time->us, time->ns);
        return true;
    }
    // A time of day has no place in a date.
    if (time->us % civil::us_per_day != 0 || time->ns != 0) return false;
    values.append_int32(static_cast<std::int32_t>(time->us / civil::us_per_day));
    return true;
}

bool append_bool(ColumnBuilder& values, const Cell& cell) {
    if (cell.stored == SQLITE_INTEGER && (cell.integer() == 0 || cell.integer() == 1)) {
        values.append_bool(cell.integer() == 1);
        return true;
    }
    const std::string text = cell.stored == SQLITE_TEXT ? lower(cell.text()) : "";
    if (text != "true" && text != "false") return false;
    values.append_bool(text == "true");
    return true;
}

bool append_double(ColumnBuilder& values, const Cell& cell) {
    if (cell.stored == SQLITE_FLOAT) {
        values.append_double(cell.real());
        return true;
    }
    const std::int64_t number = cell.stored == SQLITE_INTEGER ? cell.integer() : 0;
    if (cell.stored != SQLITE_INTEGER || number > double_integer_max || number < -double_integer_max) return false;
    values.append_double(static_cast<double>(number));
    return true;
}

bool append_text(ColumnBuilder& values, const Cell& cell, json::Checker& json) {
    const DataType type = values.type().type;
    // Numbers are JSON as they are printed.
    if (type == DataType::json && (cell.stored == SQLITE_INTEGER || cell.stored == SQLITE_FLOAT)) {
        const std::string_view text = cell.text();
        if (!json.is_document(text)) return false;
        values.append_text(text);
        return true;
    }
    if (cell.stored != SQLITE_TEXT) return false;
    const std::string_view text = cell.text();
    if (!is_valid_utf8(text) || (type == DataType::json && !json.is_document(text))) return false;
    values.append_text(text);
    return true;
}

/// False when the column's type has no place for the value.
bool append_declared(ColumnBuilder& values, const Cell& cell, json::Checker& json) {
    switch (values.type().type) {
        case DataType::bigint:
            if (cell.stored != SQLITE_INTEGER) return false;
            values.append_int64(cell.integer());
            return true;
        case DataType::double_:
            return append_double(values, cell);
        case DataType::bool_:
            return append_bool(values, cell);
        case DataType::text:
        case DataType::json:
            return append_text(values, cell, json);
        case DataType::binary:
            // A text's bytes: nothing says that they are anything else.
            if (cell.stored != SQLITE_BLOB && cell.stored != SQLITE_TEXT) return false;
            values.append_text(cell.stored == SQLITE_BLOB ? cell.blob() : cell.text());
            return true;
        case DataType::decimal: {
            const std::optional<schema::Decimal> decimal = decimal_of(cell);
            const std::optional<int128> number = decimal ? scaled(*decimal, values.type()) : std::nullopt;
            if (!number) return false;
            values.append_int128(*number);
            return true;
        }
        default:
            return append_time(values, cell);
    }
}

/// The type that all values have that are there; nothing when they have none in common.
std::optional<DataType> common_type(const std::vector<Value>& values) {
    std::optional<DataType> common;
    for (const Value& value : values) {
        if (value.is_null()) continue;
        const DataType type = schema::natural_type(value);
        const bool are_numbers = common && ((*common == DataType::bigint && type == DataType::double_) || (*common == DataType::double_ && type == DataType::bigint));
        if (common && *common != type && !are_numbers) return std::nullopt;
        common = are_numbers ? DataType::double_ : type;
    }
    if (common != DataType::double_) return common;
    const bool fit = std::all_of(values.begin(), values.end(), [](const Value& value) {
        const auto* number = value.get_if<std::int64_t>();
        return number == nullptr || (*number <= double_integer_max && *number >= -double_integer_max);
    });
    return fit ? common : std::nullopt;
}

ColumnBuilder build(const std::vector<Value>& values, DataType type) {
    ColumnBuilder builder(ColumnType{.type = type});
    for (const Value& value : values) {
        if (value.is_null()) {
            builder.append_null();
        } else if (const auto* number = value.get_if<std::int64_t>()) {
            type == DataType::double_ ? builder.append_double(static_cast<double>(*number)) : builder.append_int64(*number);
        } else if (const auto* real = value.get_if<double>()) {
            builder.append_double(*real);
        } else {
            builder.append_text(value.is<std::string>() ? value.as<std::string>() : value.as<schema::Binary>().bytes);
        }
    }
    return builder;
}

}  // namespace

TimeForm time_form(const Query& row, int column) {
    const Cell cell{.row = row, .column = column};
    switch (cell.stored) {
        case SQLITE_INTEGER:
            return form_of_integer(cell.integer());
        case SQLITE_FLOAT:
            return cell.real() < julian_max ? TimeForm::julian : TimeForm::seconds;
        case SQLITE_TEXT:
            return TimeForm::text;
        default:
            return TimeForm::unknown;
    }
}

/// One column while a batch is gathered.
struct RowReader::Slot {
    explicit Slot(const DeclaredColumn& column) : name(column.name), type(column.type), values(column.type.value_or(ColumnType())) {}

    std::string name;
    std::optional<ColumnType> type;
    ColumnBuilder values;
    /// Of a column without a type: all of them. Of others: those that do not fit, with their rows.
    std::vector<Value> undeclared;
    std::vector<std::pair<std::size_t, Value>> misfits;

    /// Where a value goes that does not fit: as it is stored, since any other form would be a guess.
    std::string variant_name(const Value& misfit) const { return fmt::format("{}__v_{}", name, schema::to_text(schema::natural_type(misfit))); }
};

RowReader::RowReader(const std::vector<DeclaredColumn>& columns) {
    for (const DeclaredColumn& column : columns) slots_.push_back(std::make_unique<Slot>(column));
}
RowReader::~RowReader() = default;

void RowReader::append_value(Slot& slot, const Query& row, int column) {
    const Cell cell{.row = row, .column = column};
    if (cell.stored == SQLITE_TEXT || cell.stored == SQLITE_BLOB) {
        bytes_ += static_cast<std::size_t>(sqlite3_column_bytes(row.handle(), column)) + sizeof(std::int32_t);
    } else {
        bytes_ += sizeof(std::int64_t);
    }
    if (!slot.type) {
        bytes_ += sizeof(Value);
        slot.undeclared.push_back(stored_value(cell));
    } else if (cell.stored == SQLITE_NULL) {
        slot.values.append_null();
    } else if (!append_declared(slot.values, cell, json_)) {
        slot.misfits.emplace_back(rows_, stored_value(cell));
        slot.values.append_null();
    }
}

void RowReader::append(const Query& row) {
    for (std::size_t i = 0; i < slots_.size(); ++i) append_value(*slots_[i], row, static_cast<int>(i));
    ++rows_;
}

Rows RowReader::as_records(const std::vector<std::optional<DataType>>& types) {
    std::vector<Value> records(rows_, schema::Object());
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        Slot* slot = slots_[i].get();
        const columns::ColumnView view = slot->values.view();
        for (std::size_t row = 0; row < rows_; ++row) {
            Value value = slot->type ? columns::value_at(view, row) : std::move(slot->undeclared[row]);
            const auto* number = value.get_if<std::int64_t>();
            if (!slot->type && types[i] == DataType::double_ && number != nullptr) value = static_cast<double>(*number);
            std::get<schema::Object>(records[row]).push_back({slot->name, std::move(value)});
        }
        for (auto& [row, value] : slot->misfits) {
            std::string name = slot->variant_name(value);
            std::get<schema::Object>(records[row]).push_back({std::move(name), std::move(value)});
        }
    }
    return records;
}

/// A column for each type of those values that do not fit theirs.
void RowReader::add_variants(const Slot& slot, columns::Batch& batch) {
    std::map<std::string, std::vector<Value>> variants;
    for (const auto& [row, value] : slot.misfits) {
        std::vector<Value>& values = variants[slot.variant_name(value)];
        values.resize(batch.rows);
        values[row] = value;
    }
    for (const auto& [name, values] : variants) {
        batch.names.push_back(name);
        batch.columns.push_back(build(values, *common_type(values)));
    }
}

Rows RowReader::take() {
    std::vector<std::optional<DataType>> types;
    bool has_mixture = false;
    for (const std::unique_ptr<Slot>& slot : slots_) {
        types.push_back(slot->type ? std::optional(slot->type->type) : common_type(slot->undeclared));
        const bool has_values = std::any_of(slot->undeclared.begin(), slot->undeclared.end(), [](const Value& value) { return !value.is_null(); });
        has_mixture = has_mixture || (has_values && !types.back());
    }
    Rows rows;
    if (has_mixture) {
        rows = as_records(types);
    } else {
        columns::Batch batch{.rows = rows_};
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            // Nothing but nulls, and nobody says what it is: there is no such column yet.
            if (!types[i]) continue;
            batch.names.push_back(slots_[i]->name);
            batch.columns.push_back(slots_[i]->type ? std::move(slots_[i]->values) : build(slots_[i]->undeclared, *types[i]));
        }
        for (const std::unique_ptr<Slot>& slot : slots_) add_variants(*slot, batch);
        rows = std::move(batch);
    }
    for (const std::unique_ptr<Slot>& slot : slots_) {
        slot->values = ColumnBuilder(slot->type.value_or(ColumnType()));
        slot->undeclared.clear();
        slot->misfits.clear();
    }
    rows_ = 0;
    bytes_ = 0;
    return rows;
}

}  // namespace tipple::sources::sql::sqlite
