#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/sources/sql/postgres/types.h"

namespace tipple::sources::sql::postgres {

/// What becomes of dates and timestamps that are infinite.
enum class Infinity : std::uint8_t {
    keep,  ///< the marks that the engine and Postgres have for it
    null,
    refuse,
};

/// A column of a COPY.
struct CopyColumn {
    std::string name;
    Wire wire = Wire::text;
    columns::ColumnType type;  ///< can_read(wire, type)
};

struct CopyOptions {
    std::size_t batch_rows = 0;
    std::size_t batch_bytes = 0;
    Infinity infinity = Infinity::keep;
};

/// Reads the binary format of COPY into columns. https://www.postgresql.org/docs/current/sql-copy.html
///
/// Bytes are collected until some hundred kilobytes are there. Then one walk over them notes where the fields of each row begin, and another over each
/// column appends its values: what a column is, is asked once for all of them.
class CopyDecoder {
public:
    using Take = std::function<bool(columns::Batch)>;

    /// `what` is read, for errors.
    CopyDecoder(std::string what, std::vector<CopyColumn> columns, const CopyOptions& options);

    /// Room for bytes that come next; never empty.
    std::span<char> room();
    /// So many of them have come. False = `take` wants no more. Throws Error(data) for a value that its column cannot hold, with column, row and remedy.
    bool add(std::size_t bytes, const Take& take);
    /// There are no more bytes. Throws Error(remote) when they ended too early.
    void finish(const Take& take);

private:
    struct Slice;
    bool decode(const Take& take);
    void read_header();
    std::size_t find_rows();
    void append(std::size_t column, std::size_t rows);
    template <typename Stored, typename Target, typename Convert>
    void append_fixed(const Slice& slice, columns::ColumnBuilder& builder, Convert convert);
    void append_bools(const Slice& slice, columns::ColumnBuilder& builder);
    void append_bytes(const Slice& slice, columns::ColumnBuilder& builder, std::size_t skipped);
    void append_uuids(const Slice& slice, columns::ColumnBuilder& builder);
    void append_numerics(const Slice& slice, columns::ColumnBuilder& builder);
    void append_times(const Slice& slice, columns::ColumnBuilder& builder);
    void append_dates(const Slice& slice, columns::ColumnBuilder& builder);
    columns::int128 numeric(const Slice& slice, std::size_t row, const char* field, std::size_t bytes) const;
    bool hand_over(const Take& take);
    void start_batch();
    [[noreturn]] void refuse(const Slice& slice, std::size_t row, const std::string& why) const;
    [[noreturn]] void fail_cut() const;
    [[noreturn]] void fail_form() const;

    const std::string what_;
    const std::vector<CopyColumn> columns_;
    const CopyOptions options_;
    const std::size_t slice_rows_;

    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_;
    std::size_t begin_ = 0;  ///< of what is not decoded
    std::size_t end_ = 0;
    bool has_header_ = false;
    bool is_at_end_ = false;  ///< the mark of the end has come
    /// Where the fields of the rows that were found begin, with their lengths: those of the first column, of the second and so on.
    std::vector<std::uint32_t> fields_;
    columns::Buffer validity_;
    std::vector<std::int32_t> offsets_;
    columns::Batch batch_;
    std::size_t last_rows_ = 0;
    std::vector<std::size_t> last_bytes_;
    std::uint64_t rows_before_ = 0;  ///< the rows that were found last
};

}  // namespace tipple::sources::sql::postgres
