#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/json/check.h"
#include "tipple/schema/value.h"
#include "tipple/sources/sql/database.h"
#include "tipple/sources/sql/sqlite/connection.h"

namespace tipple::sources::sql::sqlite {

/// How a column of times keeps them, by a value of it.
enum class TimeForm { unknown, text, seconds, milliseconds, microseconds, julian };
TimeForm time_form(const Query& row, int column);
/// 1970-01-01 as a julian day.
inline constexpr double julian_of_1970 = 2'440'587.5;

/// Gathers rows of a query as columns. A value that its column's type does not hold goes to a column beside it; a column of which the values decide and do not agree makes
/// the batch one of records, so that whoever knows the column decides.
class RowReader {
public:
    explicit RowReader(const std::vector<DeclaredColumn>& columns);
    ~RowReader();

    void append(const Query& row);
    std::size_t rows() const { return rows_; }
    /// Bytes of what was appended, roughly.
    std::size_t bytes() const { return bytes_; }
    /// All that was appended; begins anew.
    Rows take();

private:
    struct Slot;
    static void add_variants(const Slot& slot, columns::Batch& batch);
    void append_value(Slot& slot, const Query& row, int column);
    /// `types`: of the columns, where their values agree on one.
    Rows as_records(const std::vector<std::optional<schema::DataType>>& types);

    std::vector<std::unique_ptr<Slot>> slots_;
    json::Checker json_;
    std::size_t rows_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace tipple::sources::sql::sqlite
