#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tipple/columns/column.h"

// The Arrow C data interface and C stream interface, as their specification writes them
// (https://arrow.apache.org/docs/format/CDataInterface.html). The guards are the specification's own.
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

extern "C" {

struct ArrowSchema {
    const char* format;
    const char* name;
    const char* metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema** children;
    struct ArrowSchema* dictionary;
    void (*release)(struct ArrowSchema*);
    void* private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void** buffers;
    struct ArrowArray** children;
    struct ArrowArray* dictionary;
    void (*release)(struct ArrowArray*);
    void* private_data;
};

}  // extern "C"

#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

extern "C" {

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
    int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
    const char* (*get_last_error)(struct ArrowArrayStream*);
    void (*release)(struct ArrowArrayStream*);
    void* private_data;
};

}  // extern "C"

#endif  // ARROW_C_STREAM_INTERFACE

namespace tipple::columns {

/// One column of a batch that goes out through the C data interface.
struct ArrowField {
    std::string name;
    ColumnType type;
    bool is_nullable = true;
    /// The column is constant: exported run-end encoded, with one run.
    bool is_constant = false;
};

/// The Arrow format string of a type: `u`, `l`, `tsu:UTC`, `d:38,9`, …
std::string arrow_format(const ColumnType& type);

/// Fills `out` with a struct schema of `fields`; the receiver releases it.
void export_schema(const std::vector<ArrowField>& fields, ArrowSchema* out);

/// Batches one after another, as a source for `export_stream`. `next` returns nothing at the end. Constant columns are given by their
/// text in `constants` (one entry per field, empty for the others), so a batch has only the columns that are not constant.
struct ArrowSource {
    std::vector<ArrowField> fields;
    std::vector<std::string> constants;
    std::function<std::unique_ptr<Batch>()> next;
    /// Gets every batch back when the receiver releases it: from any thread, also after the end. Empty = it is freed.
    std::function<void(std::unique_ptr<Batch>)> take_back = {};
};

/// Fills `out`; the receiver releases it, from any thread, also before the end. Exceptions of `next` become the stream's error: the code
/// is EIO and the message is the exception's, and `last_exception`, when given, keeps it.
void export_stream(ArrowSource source, ArrowArrayStream* out,
                   std::shared_ptr<std::exception_ptr> last_exception = nullptr);

}  // namespace tipple::columns
