#include "tipple/format/ipc_metadata.h"

#include <bit>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/format/flat_table.h"

// The tables of Message.fbs and Schema.fbs that we need, by the numbers of their members.
// Everything is little-endian.
static_assert(std::endian::native == std::endian::little);

namespace tipple::format {

namespace {

using columns::ColumnType;
using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using schema::DataType;
using AnyOffset = Offset<void>;

constexpr std::uint32_t continuation_mark = 0xFFFFFFFF;
constexpr std::int16_t metadata_v5 = 4;

namespace message {
constexpr int version = 0, header_type = 1, header = 2, body_length = 3;
constexpr std::uint8_t type_schema = 1, type_record_batch = 3;
}  // namespace message
namespace schema_table {
constexpr int endianness = 0, fields = 1;
}  // namespace schema_table
namespace field_table {
constexpr int name = 0, nullable = 1, type_type = 2, type = 3, dictionary = 4, children = 5,
              metadata = 6;
}  // namespace field_table
namespace key_value {
constexpr int key = 0, value = 1;
}  // namespace key_value
namespace record_batch {
constexpr int length = 0, nodes = 1, buffers = 2, compression = 3;
}  // namespace record_batch
namespace body_compression {
constexpr int codec = 0, method = 1;
constexpr std::int8_t lz4_frame = 0, by_buffer = 0;
}  // namespace body_compression

/// Members of the union of types, and of its tables.
enum class ArrowType : std::uint8_t {
    int_ = 2,
    floating_point = 3,
    binary = 4,
    utf8 = 5,
    bool_ = 6,
    decimal = 7,
    date = 8,
    time = 9,
    timestamp = 10,
};
constexpr std::int16_t precision_double = 2;
constexpr std::int16_t date_in_days = 0, date_in_milliseconds = 1;
constexpr std::int16_t unit_second = 0, unit_millisecond = 1, unit_microsecond = 2;

constexpr std::string_view type_key = "tipple:type";
constexpr std::string_view extension_key = "ARROW:extension:name";
constexpr std::string_view extension_metadata_key = "ARROW:extension:metadata";
constexpr std::string_view json_extension = "arrow.json";

constexpr flatbuffers::voffset_t slot(int member) {
    return static_cast<flatbuffers::voffset_t>(4 + 2 * member);
}

/// Appends a finished flatbuffer as message header: continuation mark, length, bytes, zeros up to a
/// multiple of 8.
void append_header(std::string& out, const FlatBufferBuilder& builder) {
    const std::size_t bytes = builder.GetSize();
    const std::size_t padded = (bytes + 7) / 8 * 8;
    const auto length = static_cast<std::int32_t>(padded);
    TIPPLE_ASSERT(padded < std::numeric_limits<std::int32_t>::max());
    out.append(reinterpret_cast<const char*>(&continuation_mark), 4);
    out.append(reinterpret_cast<const char*>(&length), 4);
    out.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), bytes);
    out.append(padded - bytes, '\0');
}

void finish_message(FlatBufferBuilder& builder, std::uint8_t type, AnyOffset header,
                    std::size_t body_bytes) {
    const auto start = builder.StartTable();
    builder.AddElement<std::int64_t>(slot(message::body_length),
                                     static_cast<std::int64_t>(body_bytes), 0);
    builder.AddOffset(slot(message::header), header);
    builder.AddElement<std::int16_t>(slot(message::version), metadata_v5, 0);
    builder.AddElement<std::uint8_t>(slot(message::header_type), type, 0);
    builder.Finish(AnyOffset(builder.EndTable(start)));
}

AnyOffset add_key_value(FlatBufferBuilder& builder, std::string_view key, std::string_view value) {
    const auto key_offset = builder.CreateString(key.data(), key.size());
    const auto value_offset = builder.CreateString(value.data(), value.size());
    const auto start = builder.StartTable();
    builder.AddOffset(slot(key_value::key), key_offset);
    builder.AddOffset(slot(key_value::value), value_offset);
    return AnyOffset(builder.EndTable(start));
}

ArrowType arrow_type(DataType type) {
    switch (type) {
        case DataType::text:
        case DataType::json:
            return ArrowType::utf8;
        case DataType::bigint:
            return ArrowType::int_;
        case DataType::double_:
            return ArrowType::floating_point;
        case DataType::bool_:
            return ArrowType::bool_;
        case DataType::timestamp:
            return ArrowType::timestamp;
        case DataType::date:
            return ArrowType::date;
        case DataType::time:
            return ArrowType::time;
        case DataType::decimal:
        case DataType::wei:
            return ArrowType::decimal;
        case DataType::binary:
            return ArrowType::binary;
    }
    return ArrowType::utf8;
}

AnyOffset add_type(FlatBufferBuilder& builder, const ColumnType& type) {
    Offset<flatbuffers::String> timezone;
    if (type.type == DataType::timestamp && type.timezone) timezone = builder.CreateString("UTC");
    const auto start = builder.StartTable();
    switch (arrow_type(type.type)) {
        case ArrowType::int_:
            builder.AddElement<std::int32_t>(slot(0), 64, 0);
            builder.AddElement<std::uint8_t>(slot(1), 1, 0);
            break;
        case ArrowType::floating_point:
            builder.AddElement<std::int16_t>(slot(0), precision_double, 0);
            break;
        case ArrowType::decimal:
            TIPPLE_ASSERT(type.precision >= 1 && type.precision <= 38 && type.scale >= 0 &&
                          type.scale <= type.precision);
            builder.AddElement<std::int32_t>(slot(0), type.precision, 0);
            builder.AddElement<std::int32_t>(slot(1), type.scale, 0);
            builder.AddElement<std::int32_t>(slot(2), 128, 128);
            break;
        case ArrowType::date:
            builder.AddElement<std::int16_t>(slot(0), date_in_days, date_in_milliseconds);
            break;
        case ArrowType::time:
            builder.AddElement<std::int16_t>(slot(0), unit_microsecond, unit_millisecond);
            builder.AddElement<std::int32_t>(slot(1), 64, 32);
            break;
        case ArrowType::timestamp:
            builder.AddElement<std::int16_t>(slot(0), unit_microsecond, unit_second);
            builder.AddOffset(slot(1), timezone);
            break;
        case ArrowType::binary:
        case ArrowType::utf8:
        case ArrowType::bool_:
            break;
    }
    return AnyOffset(builder.EndTable(start));
}

AnyOffset add_field(FlatBufferBuilder& builder, const IpcField& field) {
    const auto name = builder.CreateString(field.name);
    const AnyOffset type = add_type(builder, field.type);
    std::vector<AnyOffset> pairs = {
        add_key_value(builder, type_key, schema::to_text(field.type.type))};
    if (field.type.type == DataType::json) {
        pairs.push_back(add_key_value(builder, extension_key, json_extension));
        pairs.push_back(add_key_value(builder, extension_metadata_key, ""));
    }
    const auto metadata = builder.CreateVector(pairs);
    const auto children = builder.CreateVector(std::vector<AnyOffset>());
    const auto start = builder.StartTable();
    builder.AddOffset(slot(field_table::name), name);
    builder.AddOffset(slot(field_table::type), type);
    builder.AddOffset(slot(field_table::children), children);
    builder.AddOffset(slot(field_table::metadata), metadata);
    builder.AddElement<std::uint8_t>(slot(field_table::nullable), 1, 0);
    builder.AddElement<std::uint8_t>(slot(field_table::type_type),
                                     static_cast<std::uint8_t>(arrow_type(field.type.type)), 0);
    return AnyOffset(builder.EndTable(start));
}

}  // namespace

void append_schema(std::string& out, const std::vector<IpcField>& fields) {
    FlatBufferBuilder builder;
    std::vector<AnyOffset> offsets;
    offsets.reserve(fields.size());
    for (const IpcField& field : fields) offsets.push_back(add_field(builder, field));
    const auto vector = builder.CreateVector(offsets);
    const auto start = builder.StartTable();
    builder.AddOffset(slot(schema_table::fields), vector);
    const AnyOffset header(builder.EndTable(start));
    finish_message(builder, message::type_schema, header, 0);
    append_header(out, builder);
}

void append_end_of_stream(std::string& out) {
    out.append("\xFF\xFF\xFF\xFF\0\0\0\0", message_prefix_bytes);
}

void append_record_batch_header(std::string& out, FlatBufferBuilder& builder, std::size_t rows,
                                const std::vector<FlatPair>& nodes,
                                const std::vector<FlatPair>& buffers, Compression compression,
                                std::size_t body_bytes) {
    builder.Clear();
    const auto node_vector = builder.CreateVectorOfStructs(nodes.data(), nodes.size());
    const auto buffer_vector = builder.CreateVectorOfStructs(buffers.data(), buffers.size());
    AnyOffset codec;
    if (compression == Compression::lz4) {
        const auto start = builder.StartTable();
        builder.AddElement<std::int8_t>(slot(body_compression::codec), body_compression::lz4_frame,
                                        0);
        builder.AddElement<std::int8_t>(slot(body_compression::method), body_compression::by_buffer,
                                        0);
        codec = AnyOffset(builder.EndTable(start));
    }
    const auto start = builder.StartTable();
    builder.AddElement<std::int64_t>(slot(record_batch::length), static_cast<std::int64_t>(rows),
                                     0);
    builder.AddOffset(slot(record_batch::nodes), node_vector);
    builder.AddOffset(slot(record_batch::buffers), buffer_vector);
    builder.AddOffset(slot(record_batch::compression), codec);
    const AnyOffset header(builder.EndTable(start));
    finish_message(builder, message::type_record_batch, header, body_bytes);
    append_header(out, builder);
}

namespace {

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
    throw Error(ErrorKind::corrupt, "damaged Arrow data: {}",
                fmt::format(format, std::forward<Args>(args)...));
}

/// A number that counts something.
std::uint64_t to_count(std::int64_t number, const char* what) {
    if (number < 0) fail("{} is {}", what, number);
    return static_cast<std::uint64_t>(number);
}

DataType natural_type(ArrowType type) {
    switch (type) {
        case ArrowType::int_:
            return DataType::bigint;
        case ArrowType::floating_point:
            return DataType::double_;
        case ArrowType::binary:
            return DataType::binary;
        case ArrowType::utf8:
            return DataType::text;
        case ArrowType::bool_:
            return DataType::bool_;
        case ArrowType::decimal:
            return DataType::decimal;
        case ArrowType::date:
            return DataType::date;
        case ArrowType::time:
            return DataType::time;
        case ArrowType::timestamp:
            return DataType::timestamp;
    }
    fail("type {} is none that is written here", static_cast<int>(type));
}

/// Whether the type table's members are those that we write; takes over what a ColumnType keeps of
/// them.
bool read_type_members(const FlatTable& table, ArrowType arrow, ColumnType& type) {
    switch (arrow) {
        case ArrowType::int_:
            return table.scalar<std::int32_t>(0, 0) == 64 && table.scalar<std::uint8_t>(1, 0) == 1;
        case ArrowType::floating_point:
            return table.scalar<std::int16_t>(0, 0) == precision_double;
        case ArrowType::decimal:
            type.precision = table.scalar<std::int32_t>(0, 0);
            type.scale = table.scalar<std::int32_t>(1, 0);
            return table.scalar<std::int32_t>(2, 128) == 128 && type.precision >= 1 &&
                   type.precision <= 38 && type.scale >= 0 && type.scale <= type.precision;
        case ArrowType::date:
            return table.scalar<std::int16_t>(0, date_in_milliseconds) == date_in_days;
        case ArrowType::time:
            return table.scalar<std::int16_t>(0, unit_millisecond) == unit_microsecond &&
                   table.scalar<std::int32_t>(1, 32) == 64;
        case ArrowType::timestamp:
            type.timezone = !table.text(1).empty();
            return table.scalar<std::int16_t>(0, unit_second) == unit_microsecond;
        case ArrowType::binary:
        case ArrowType::utf8:
        case ArrowType::bool_:
            return true;
    }
    return false;
}

IpcField read_field(const FlatTable& table) {
    IpcField field{.name = std::string(table.text(field_table::name)), .type = {}};
    const auto arrow =
        static_cast<ArrowType>(table.scalar<std::uint8_t>(field_table::type_type, 0));
    field.type.type = natural_type(arrow);
    const std::optional<FlatTable> type = table.table(field_table::type);
    if (!type || !read_type_members(*type, arrow, field.type) ||
        table.table(field_table::dictionary) || table.vector(field_table::children, 4).size() > 0) {
        fail("the type of field \"{}\" is none that is written here", field.name);
    }
    const FlatVector metadata = table.vector(field_table::metadata, 4);
    for (std::size_t i = 0; i < metadata.size(); ++i) {
        const FlatTable pair = metadata.table(i);
        const std::string_view key = pair.text(key_value::key);
        const std::string_view value = pair.text(key_value::value);
        if (key == type_key) {
            const std::optional<DataType> exact = schema::find_data_type(value);
            if (!exact || arrow_type(*exact) != arrow) {
                fail("the type of field \"{}\" is called \"{}\"", field.name, value);
            }
            field.type.type = *exact;
        } else if (key == extension_key && value == json_extension && arrow == ArrowType::utf8) {
            field.type.type = DataType::json;
        }
    }
    return field;
}

void read_schema(const FlatTable& table, MessageHeader& header) {
    if (table.scalar<std::int16_t>(schema_table::endianness, 0) != 0) fail("it is big-endian");
    if (header.body_length != 0) fail("a schema has a body");
    const FlatVector fields = table.vector(schema_table::fields, 4);
    header.fields.reserve(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        header.fields.push_back(read_field(fields.table(i)));
    }
}

void read_record_batch(const FlatTable& table, MessageHeader& header) {
    header.rows = to_count(table.scalar<std::int64_t>(record_batch::length, 0), "a row count");
    // Offsets of texts are int32 and rows are counted in memory: nothing longer can be ours.
    if (header.rows > std::numeric_limits<std::int32_t>::max()) fail("it has {} rows", header.rows);
    const FlatVector nodes = table.vector(record_batch::nodes, sizeof(FlatPair));
    header.nodes.reserve(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        MessageHeader::Node node{
            .length = to_count(nodes.member<std::int64_t>(i, 0), "a length"),
            .null_count = to_count(nodes.member<std::int64_t>(i, 8), "a null count")};
        if (node.length != header.rows || node.null_count > node.length) {
            fail("column {} has {} rows and {} nulls in a batch of {} rows", i, node.length,
                 node.null_count, header.rows);
        }
        header.nodes.push_back(node);
    }
    const FlatVector buffers = table.vector(record_batch::buffers, sizeof(FlatPair));
    header.buffers.reserve(buffers.size());
    for (std::size_t i = 0; i < buffers.size(); ++i) {
        const MessageHeader::BufferSpan span{
            .offset = to_count(buffers.member<std::int64_t>(i, 0), "an offset"),
            .length = to_count(buffers.member<std::int64_t>(i, 8), "a buffer's length")};
        if (span.offset > header.body_length || span.length > header.body_length - span.offset) {
            fail("buffer {} leads outside of the body", i);
        }
        header.buffers.push_back(span);
    }
    if (const std::optional<FlatTable> compression = table.table(record_batch::compression)) {
        if (compression->scalar<std::int8_t>(body_compression::codec, 0) !=
                body_compression::lz4_frame ||
            compression->scalar<std::int8_t>(body_compression::method, 0) !=
                body_compression::by_buffer) {
            fail("it is not compressed as LZ4 frames");
        }
        header.compression = Compression::lz4;
    }
}

}  // namespace

std::uint32_t parse_message_prefix(std::string_view prefix) {
    TIPPLE_ASSERT(prefix.size() == message_prefix_bytes);
    std::uint32_t mark = 0;
    std::int32_t length = 0;
    std::memcpy(&mark, prefix.data(), 4);
    std::memcpy(&length, prefix.data() + 4, 4);
    if (mark != continuation_mark || length < 0) fail("no message begins here");
    return static_cast<std::uint32_t>(length);
}

MessageHeader parse_message_header(std::string_view header) {
    FlatBuffer buffer(header);
    const FlatTable table = buffer.root();
    if (table.scalar<std::int16_t>(message::version, 0) != metadata_v5) {
        fail("its metadata version is {}", table.scalar<std::int16_t>(message::version, 0));
    }
    MessageHeader result;
    result.body_length =
        to_count(table.scalar<std::int64_t>(message::body_length, 0), "a body's length");
    const auto type = table.scalar<std::uint8_t>(message::header_type, 0);
    const std::optional<FlatTable> content = table.table(message::header);
    if (content && type == message::type_schema) {
        result.kind = MessageHeader::Kind::schema;
        read_schema(*content, result);
    } else if (content && type == message::type_record_batch) {
        result.kind = MessageHeader::Kind::record_batch;
        read_record_batch(*content, result);
    } else {
        fail("message type {} is none that is written here", type);
    }
    return result;
}

}  // namespace tipple::format
