#pragma once

#include <string>

#include "tipple/schema/value.h"
#include "tipple/sources/sql/database.h"

namespace tipple::sources::sql {

/// Sees that rows come in the order of a cursor, where what is not read depends on it: a database may sort what is written in several forms, such as times as text, in
/// another order than its values have.
class CursorOrder {
public:
    CursorOrder(std::string resource, std::string column, bool is_ascending) : resource_(std::move(resource)), column_(std::move(column)), is_ascending_(is_ascending) {}

    /// Throws Error(data) for a value that comes too late.
    void check(const Rows& rows);

private:
    void check_value(const schema::Value& value);
    bool is_sorted(const columns::ColumnView& column) const;

    std::string resource_;
    std::string column_;
    bool is_ascending_;
    schema::Value last_;
};

}  // namespace tipple::sources::sql
