#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/destination/dropped_rows.h"
#include "tipple/destinations/postgres/types.h"

namespace tipple::destinations::postgres {

/// One column of a COPY: read from a column of the batches, the same for all rows, or the row's position in the package.
struct CopyField {
    enum class Source { column, constant, position };
    std::string name;
    Source source = Source::column;
    std::size_t column = 0;  ///< its place in the batches
    Wire wire = Wire::bytes;
    std::string constant = {};  ///< as it is sent, with its length
};

/// A constant as it is sent to a column of the type `target`. Text and points in time only.
CopyField constant_field(const destination::Constant& constant);

/// Writes batches in the binary format of COPY. https://www.postgresql.org/docs/current/sql-copy.html
class CopyEncoder {
public:
    /// `table` names it in errors.
    CopyEncoder(std::string table, std::vector<CopyField> fields);

    /// Begins a batch, whose first row is at `position` in the package. `rows` must stay as it is until the last of them was written. Throws
    /// Error(data) for text that Postgres cannot store.
    void start_batch(const columns::BatchView& rows, std::uint64_t position);
    /// Writes rows that `dropped` does not have, until the batch is at its end or the buffer is full; true when there are more. Throws Error(data)
    /// for a value that does not fit its column.
    bool write_rows(const destination::DroppedRows* dropped);
    /// Writes the end of the data.
    void write_end();

    /// What was written and is to be sent; the header first.
    std::string_view written() const { return {buffer_.data(), size_}; }
    void clear() { size_ = 0; }

private:
    void reserve(std::size_t bytes);
    void put(const void* bytes, std::size_t count);
    template <typename T>
    void put_number(T value);
    void put_null();
    void put_value(const CopyField& field, const columns::ColumnView& column, std::size_t row);
    void put_whole(const CopyField& field, std::int64_t value);
    template <typename T>
    T since_2000(const CopyField& field, T value, T epoch) const;
    void put_numeric(columns::int128 value, int scale);
    void put_uuid(const CopyField& field, std::string_view text);
    std::size_t bytes_of(std::size_t row) const;
    void check_text(const CopyField& field) const;
    [[noreturn]] void refuse(const CopyField& field, std::string_view what) const;

    std::string table_;
    std::vector<CopyField> fields_;
    std::size_t fixed_bytes_ = 0;  ///< of a row, but for text
    columns::BatchView batch_;
    std::uint64_t first_position_ = 0;
    std::size_t next_row_ = 0;
    std::vector<char> buffer_;
    std::size_t size_ = 0;
};

}  // namespace tipple::destinations::postgres
