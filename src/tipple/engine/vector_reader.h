#pragma once

#include "tipple/columns/column.h"
#include "tipple/engine/handles.h"

// Private to the module: from the engine's vectors into columns of ours.
namespace tipple::engine {

/// Appends rows [from, from + rows) of a vector to a column made for its type by `map_type`. Keeps
/// scratch memory between calls.
class VectorReader {
public:
    /// `name` is for messages. `type` is the vector's, after its passage.
    VectorReader(std::string name, duckdb_logical_type type);
    /// Throws Error(data) for a value that has no place in the column's type.
    void append(duckdb_vector vector, idx_t from, idx_t rows, columns::ColumnBuilder& column);

private:
    struct Slice;
    void append_values(const Slice& slice, columns::ColumnBuilder& column);
    template <typename Stored, typename Target, typename Convert>
    void append_fixed(const Slice& slice, columns::ColumnBuilder& column, Convert convert);
    bool append_integers(const Slice& slice, columns::ColumnBuilder& column);
    bool append_decimals(const Slice& slice, columns::ColumnBuilder& column);
    void append_nanoseconds(const Slice& slice, columns::ColumnBuilder& column);
    bool append_other_units(const Slice& slice, columns::ColumnBuilder& column);
    void append_texts(const Slice& slice, columns::ColumnBuilder& column);
    [[noreturn]] void fail_out_of_range(const char* what) const;

    std::string name_;
    duckdb_type id_;
    duckdb_type decimal_storage_ = DUCKDB_TYPE_INVALID;
    columns::Buffer validity_;  ///< of the slice, starting at bit 0
};

}  // namespace tipple::engine
