#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tipple::schema {

/// The logical types of a column, the same set and names as the reference's.
enum class DataType : std::uint8_t {
    text,
    bigint,     ///< 64-bit integer; `precision` = bits
    double_,    ///< "double"
    bool_,      ///< "bool"
    timestamp,  ///< microseconds since 1970, UTC unless `timezone` is false
    date,
    time,     ///< microseconds since midnight, without zone
    decimal,  ///< `precision` digits of which `scale` behind the point; 38, 9 unless said otherwise
    wei,      ///< whole decimal
    binary,
    json,  ///< an object or list that is not flattened, as compact text
};
inline constexpr int data_type_count = 11;

/// "text", "bigint", "double", … as written in schema documents.
std::string_view to_text(DataType type);
/// Also accepts `complex`, the old name of `json`.
std::optional<DataType> find_data_type(std::string_view name);

/// What the rows of a load do to those that are there: join them, replace them all, or replace those with the same key.
enum class Disposition : std::uint8_t { append, replace, merge, skip };
std::string_view to_text(Disposition disposition);
std::optional<Disposition> find_disposition(std::string_view name);

/// The column whose type a variant's values did not fit, by the variant's name (`total__v_text`); empty when the name does not say, as shortened ones.
std::string_view origin_of_variant(std::string_view name);

}  // namespace tipple::schema
