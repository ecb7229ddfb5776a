#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tipple/columns/widen.h"
#include "tipple/normalize/page_result.h"
#include "tipple/normalize/rules.h"
#include "tipple/schema/schema.h"

/// Widening: while a run reads, every kind of value under one name has a column of its own, and when all is read, columns are put together
/// where no value changes by it (docs/internals/schema.md, "Widening"). Nothing that is decided here depends on the order of records.
namespace tipple::normalize {

/// Of a column that the run's data has made: its type is not settled yet. Gone once the run has read everything.
inline constexpr std::string_view unsettled_hint = "x-unsettled";

/// Marks a column that is about to be proposed, if `rules` widen and nothing but its first value has given it its type.
void mark_unsettled(const Rules& rules, schema::Column& column);
bool is_unsettled(const schema::Column& column);

/// The columns beside `column` in which values under its name may wait. None without widening.
std::vector<std::string> columns_of_kinds(const Rules& rules, std::string_view column);

/// Notes what the values of a column of a page are like, when widening has to know.
void note_kinds(const Rules& rules, std::string_view table, std::string_view column, const columns::ColumnView& values,
                std::vector<ColumnKinds>& noted);

/// What is known of the columns of all pages that were admitted.
class KindLog {
public:
    void add(const std::vector<ColumnKinds>& noted);
    ColumnKinds find(const std::string& table, const std::string& column) const;

private:
    std::map<std::pair<std::string, std::string>, ColumnKinds> kinds_;
};

/// Whether a table has whole numbers at the destination, in that column, that are no doubles.
using HasLargeIntegers = std::function<bool(const std::string& table, const std::string& column)>;

/// Settles the types of the run's columns in `schema`. The result says where columns of the rows go.
std::vector<columns::ColumnMove> settle_kinds(const Rules& rules, const KindLog& kinds, const HasLargeIntegers& has_large_integers,
                                              schema::Schema& schema);

}  // namespace tipple::normalize
