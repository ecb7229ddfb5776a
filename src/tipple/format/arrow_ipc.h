#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/column.h"

/// Arrow IPC streams (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format), LZ4-framed buffers, for the types of
/// columns::ColumnType. Every stream we write is one that any Arrow library reads; we read what we write.
namespace tipple::format {

/// One column of a stream.
struct IpcField {
    std::string name;
    columns::ColumnType type;
    bool operator==(const IpcField&) const = default;
};

/// What is done to the buffers of a record batch.
enum class Compression { none, lz4 };

/// Appends the schema message that starts a stream. The exact type of a field is kept in its metadata (`tipple:type`), so that reading
/// gives back an equal one: `precision` and `scale` count for decimals only, `timezone` for timestamps only.
void append_schema(std::string& out, const std::vector<IpcField>& fields);
/// Appends the end-of-stream mark.
void append_end_of_stream(std::string& out);

/// Encodes record batches; keeps scratch memory between calls. One per thread.
class BatchEncoder {
public:
    explicit BatchEncoder(Compression compression);
    ~BatchEncoder();
    BatchEncoder(BatchEncoder&&) noexcept;
    /// Appends one record batch message. Columns must have the length `rows`; constant columns are written out in full. A buffer that does
    /// not get smaller is stored as it is, as the format allows.
    void append_batch(std::string& out, const std::vector<columns::ColumnView>& columns, std::size_t rows);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// One message header, parsed. `body_length` bytes follow it.
struct MessageHeader {
    enum class Kind { schema, record_batch, end_of_stream };
    Kind kind = Kind::end_of_stream;
    std::uint64_t body_length = 0;
    std::vector<IpcField> fields;  ///< schema
    std::uint64_t rows = 0;        ///< record batch
    struct Node {
        std::uint64_t length = 0;
        std::uint64_t null_count = 0;
    };
    struct BufferSpan {
        std::uint64_t offset = 0;  ///< in the body
        std::uint64_t length = 0;
    };
    std::vector<Node> nodes;
    std::vector<BufferSpan> buffers;
    Compression compression = Compression::none;
};

/// Bytes of the prefix that says how long a header is: the continuation mark and a length.
inline constexpr std::size_t message_prefix_bytes = 8;
/// Length of the header behind the prefix; 0 = end of stream. Throws Error(corrupt).
std::uint32_t parse_message_prefix(std::string_view prefix);
/// Checks every length and offset against `header` itself; nothing in the result points outside of the body. Throws Error(corrupt).
MessageHeader parse_message_header(std::string_view header);

/// Bytes that a record batch takes in memory when it is decoded; `body` is what follows the header. For planning: a damaged one is found
/// out when it is decoded.
std::uint64_t decoded_bytes(const MessageHeader& header, std::string_view body);

/// Decodes record batches straight into column builders. Keeps scratch memory between calls. One per thread.
class BatchDecoder {
public:
    BatchDecoder();
    ~BatchDecoder();
    BatchDecoder(BatchDecoder&&) noexcept;
    /// Appends the rows of a record batch to `targets`, one per field of the stream; nullptr = not wanted. Throws Error(corrupt) when
    /// lengths, offsets or compressed bytes do not fit together, leaving `targets` in any state.
    void append_to(const MessageHeader& header, std::string_view body, const std::vector<IpcField>& fields,
                   const std::vector<columns::ColumnBuilder*>& targets);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tipple::format
