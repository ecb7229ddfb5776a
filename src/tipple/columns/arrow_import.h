#pragma once

#include <optional>

#include "tipple/columns/arrow_c.h"
#include "tipple/columns/column.h"

namespace tipple::columns {

/// A struct array of somebody else as columns. Takes both over: `schema` is released at once, `array` when the columns are gone. Values that lie as
/// ours do are not copied: 64-bit integers and floating point numbers, decimals, dates, texts, bytes, and times of microseconds. Smaller numbers become
/// 64-bit ones, unsigned 64-bit ones decimals, other units of time microseconds, and dictionaries are resolved. Columns that are nothing but null are left out. Throws
/// Error(usage) that names the field for types that tables do not have.
Batch import_array(ArrowSchema* schema, ArrowArray* array);

/// Reads a stream of struct arrays, and releases it. One thread.
class StreamReader {
public:
    /// Takes the stream over.
    explicit StreamReader(ArrowArrayStream* stream);
    ~StreamReader();
    StreamReader(const StreamReader&) = delete;
    StreamReader& operator=(const StreamReader&) = delete;

    /// Nothing at the end. Throws Error(remote) with what the stream says when it fails.
    std::optional<Batch> next();

private:
    void check(int result, const char* what);

    ArrowArrayStream stream_;
};

}  // namespace tipple::columns
