#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tipple/api/record.h"
#include "tipple/columns/arrow_c.h"
#include "tipple/columns/column.h"

namespace tipple {

namespace api {
class PageWriter;
}

/// Where the records of one call go.
struct WriteOptions {
    /// Instead of the resource's own table.
    std::string table = {};
};

/// A column of typed rows.
struct RowColumn {
    std::string name;
    /// Not decimal and wei: such values come as records.
    DataType type = DataType::text;
};

/// Rows whose columns are known: values go straight into typed columns, which is the fastest way for values that a program has itself. Full pages
/// are written by themselves, and the rest when the read ends or something else is written.
class Rows {
public:
    /// Throws Error(usage) for a type that rows cannot have.
    Rows(const std::vector<RowColumn>& columns, std::function<void(columns::Batch)> write);

    /// One row: a value for each column, in order. nullptr and an empty optional are null; integers go into bigint and double, floating point numbers into double, texts into
    /// text and json, and the rest where it belongs. Throws Error(usage) for another number of values, or one that does not fit its column.
    template <typename... Values>
    void add(const Values&... values) {
        begin_row(sizeof...(values));
        (append(values), ...);
        end_row();
    }
    /// Writes what was gathered.
    void flush();

private:
    columns::ColumnBuilder& next(std::initializer_list<DataType> fitting, const char* what);
    void begin_row(std::size_t values);
    void end_row();
    columns::Batch empty_batch() const;

    void append(std::nullptr_t);
    void append(const Timestamp& value) { next({DataType::timestamp}, "a timestamp").append_time(value.us, value.ns); }
    void append(const Date& value) { next({DataType::date}, "a date").append_int32(value.days); }
    void append(const Time& value) { next({DataType::time}, "a time").append_time(value.us, value.ns); }
    void append(const Binary& value) { next({DataType::binary}, "bytes").append_text(value.bytes); }
    void append(std::string_view value) { next({DataType::text, DataType::json}, "a text").append_text(value); }
    void append(const char* value) { append(std::string_view(value)); }
    void append(const std::string& value) { append(std::string_view(value)); }
    void append(bool value) { next({DataType::bool_}, "a bool").append_bool(value); }
    template <std::integral T>
    void append(T value);
    template <std::floating_point T>
    void append(T value) {
        next({DataType::double_}, "a floating point number").append_double(static_cast<double>(value));
    }
    template <typename T>
    void append(const std::optional<T>& value) {
        value ? append(*value) : append(nullptr);
    }

    std::vector<RowColumn> columns_;
    std::function<void(columns::Batch)> write_;
    columns::Batch batch_;
    std::size_t at_ = 0;  ///< column of the row that is being added
};

template <std::integral T>
void Rows::append(T value) {
    columns::ColumnBuilder& column = next({DataType::bigint, DataType::double_}, "an integer");
    if (column.type().type == DataType::double_) return column.append_double(static_cast<double>(value));
    if (!std::in_range<std::int64_t>(value)) throw Error(ErrorKind::data, "column \"{}\": {} is beyond 64 bits", columns_[at_ - 1].name, value);
    column.append_int64(static_cast<std::int64_t>(value));
}

/// Takes what a resource has read. Every call blocks while the run is behind, and throws Error(cancelled) once it was stopped: let that pass.
/// Only for the thread of the read.
class Output {
public:
    explicit Output(api::PageWriter& pages) : pages_(pages) {}

    /// One page of records as JSON came off the wire: an object, a list of objects, or several such one after another (JSON lines). It is not parsed
    /// before it is loaded, unless steps or transformers need its records. Throws Error(data) for broken JSON.
    void write_json(std::string_view text, const WriteOptions& options = {});
    /// One page.
    void write(Records records, const WriteOptions& options = {});
    /// One record; they are gathered into pages.
    void write(Record record, const WriteOptions& options = {});
    /// A struct array through the Arrow C data interface; its fields are the columns. Takes both over, and copies no values that already lie as
    /// tipple needs them. `array` is released before or after this returns, from any thread. Throws Error(usage) for types that tables do not have: nested ones.
    void write_arrow(ArrowSchema* schema, ArrowArray* array, const WriteOptions& options = {});
    /// The same for all arrays of a stream.
    void write_arrow(ArrowArrayStream* stream, const WriteOptions& options = {});
    /// Rows with these columns. Good until the read ends.
    Rows& rows(const std::vector<RowColumn>& columns, const WriteOptions& options = {});
    /// Makes the resource's table with its declared columns even if no record comes.
    void materialize();
    /// All that was written, and all that is remembered so far, belong together: a run with checkpoints (Resource::checkpoint, `--checkpoint`) may commit them here, as a load
    /// of their own. A resource with a cursor needs no such marks unless it uses its state.
    void checkpoint();
    /// False when no more records are wanted, since a limit was reached: the read should end. What is written then is ignored.
    bool wants_more() const;

private:
    api::PageWriter& pages_;
};

}  // namespace tipple
