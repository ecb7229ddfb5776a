#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What happens to rows of a merged table whose records a full snapshot of the source does not have any more.
namespace tipple::schema {

/// Column that `DeleteMissing::Mode::soft` fills: when the row's record was first missing; null while the source has it.
inline constexpr std::string_view deleted_at_column = "_tipple_deleted_at";

/// How many rows may be missing before a snapshot is taken for a broken one.
class DeleteLimit {
public:
    /// A tenth of the rows.
    DeleteLimit() = default;
    /// "10%", "0.5%" or a number of rows. Throws Error(usage).
    static DeleteLimit parse(std::string_view text);

    bool allows(std::uint64_t missing, std::uint64_t known) const;
    /// As `parse` reads it.
    std::string text() const;
    bool operator==(const DeleteLimit&) const = default;

private:
    std::uint64_t share_ppm_ = 100'000;
    std::optional<std::uint64_t> rows_;
};

/// The smallest share, in text that `DeleteLimit::parse` reads, that allows `missing` of `known` rows.
std::string share_text(std::uint64_t missing, std::uint64_t known);

struct DeleteMissing {
    enum class Mode {
        soft,  ///< they stay, with a time in `deleted_at_column`
        hard,  ///< they are removed
    };
    Mode mode = Mode::hard;
    DeleteLimit limit = {};
    /// A snapshot without records is believed: then all rows are missing, and the limit is not asked.
    bool allows_empty = false;
    bool operator==(const DeleteMissing&) const = default;
};
/// "soft", "hard".
std::string_view to_text(DeleteMissing::Mode mode);
/// Throws Error(usage) that names what there is.
DeleteMissing::Mode require_delete_mode(std::string_view name);

}  // namespace tipple::schema
