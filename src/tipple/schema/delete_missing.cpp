#include "tipple/schema/delete_missing.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::schema {

namespace {

constexpr std::uint64_t parts_per_percent = 10'000;
constexpr std::uint64_t parts_of_all = 100 * parts_per_percent;

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number number = {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

DeleteLimit DeleteLimit::parse(std::string_view text) {
    DeleteLimit limit;
    if (text.ends_with('%')) {
        const std::optional<double> percent = number_of<double>(text.substr(0, text.size() - 1));
        if (percent && *percent >= 0 && *percent <= 100) {
            limit.share_ppm_ = static_cast<std::uint64_t>(std::llround(*percent * parts_per_percent));
            return limit;
        }
    } else if ((limit.rows_ = number_of<std::uint64_t>(text))) {
        return limit;
    }
    throw Error(ErrorKind::usage, "the most rows that may be deleted are a share such as 10% (0% to 100%), or a number of rows, not \"{}\"", excerpt(text));
}

bool DeleteLimit::allows(std::uint64_t missing, std::uint64_t known) const {
    if (rows_) return missing <= *rows_;
    return static_cast<long double>(missing) * parts_of_all <= static_cast<long double>(known) * static_cast<long double>(share_ppm_);
}

std::string DeleteLimit::text() const {
    return rows_ ? std::to_string(*rows_) : fmt::format("{}%", static_cast<double>(share_ppm_) / parts_per_percent);
}

std::string share_text(std::uint64_t missing, std::uint64_t known) {
    if (known == 0) return "0%";
    const long double tenths = std::ceil(static_cast<long double>(missing) * 1000 / static_cast<long double>(known));
    return fmt::format("{}%", static_cast<double>(tenths) / 10);
}

std::string_view to_text(DeleteMissing::Mode mode) { return mode == DeleteMissing::Mode::soft ? "soft" : "hard"; }

DeleteMissing::Mode require_delete_mode(std::string_view name) {
    if (name == "soft") return DeleteMissing::Mode::soft;
    if (name == "hard") return DeleteMissing::Mode::hard;
    throw Error(ErrorKind::usage, "missing rows are deleted \"soft\" (flagged) or \"hard\" (removed), not \"{}\"", excerpt(name));
}

}  // namespace tipple::schema
