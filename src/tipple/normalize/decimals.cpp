#include "tipple/normalize/decimals.h"

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "tipple/core/text.h"
#include "tipple/schema/coerce.h"

namespace tipple::normalize {

namespace {

/// `decimal` at `scale`, halves rounded away from zero, which `is_rounded` then says; nothing when it has more than 38 digits.
std::optional<columns::int128> scaled(const schema::Decimal& decimal, int scale, bool& is_rounded) {
    if (decimal.special != schema::Decimal::Special::none) return std::nullopt;
    std::string digits = decimal.digits;
    const std::int64_t shift = static_cast<std::int64_t>(decimal.exponent) + scale;
    if (digits == "0") return columns::int128{0};
    bool rounds_up = false;
    if (shift >= 0) {
        if (static_cast<std::int64_t>(digits.size()) + shift > 38) return std::nullopt;
        digits.append(static_cast<std::size_t>(shift), '0');
    } else {
        const auto cut = static_cast<std::uint64_t>(-shift);
        is_rounded = cut > digits.size();
        if (is_rounded) return columns::int128{0};
        const std::string dropped = digits.substr(digits.size() - cut);
        is_rounded = dropped.find_first_not_of('0') != std::string::npos;
        digits.resize(digits.size() - cut);
        rounds_up = dropped[0] >= '5';
    }
    if (digits.size() > 38) return std::nullopt;
    columns::int128 number = 0;
    for (const char digit : digits) number = number * 10 + (digit - '0');
    if (rounds_up) ++number;
    return decimal.negative ? -number : number;
}

/// Whether `number` has at most `precision` digits.
bool fits(columns::int128 number, int precision) {
    columns::int128 bound = 1;
    for (int i = 0; i < precision; ++i) bound *= 10;
    return number < bound && number > -bound;
}

}  // namespace

std::optional<FixedDecimal> to_fixed(const schema::Decimal& decimal, const columns::ColumnType& type) {
    FixedDecimal fixed;
    const std::optional<columns::int128> number = scaled(decimal, type.scale, fixed.is_rounded);
    if (!number || !fits(*number, type.precision)) return std::nullopt;
    fixed.number = *number;
    return fixed;
}

std::string describe_fine_number(const schema::Decimal& decimal, const columns::ColumnType& type) {
    return fmt::format("the number {} has more decimal places than decimal({},{})", excerpt(schema::to_text(decimal)), type.precision, type.scale);
}

}  // namespace tipple::normalize
