#include <cstring>
#include <limits>

#include "tipple/columns/buffer.h"
#include "tipple/core/error.h"
#include "tipple/format/arrow_ipc.h"
#include "tipple/format/lz4.h"

namespace tipple::format {

namespace {

using columns::Buffer;
using columns::ColumnBuilder;
using columns::Layout;

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
    throw Error(ErrorKind::corrupt, "damaged Arrow data: {}",
                fmt::format(format, std::forward<Args>(args)...));
}

/// One buffer as it lies in the body.
struct StoredBuffer {
    std::string_view bytes;    ///< compressed or not, without the prefix
    std::uint64_t length = 0;  ///< of the buffer's content
    bool is_compressed = false;
};

StoredBuffer find_buffer(const MessageHeader& header, std::string_view body, std::size_t index) {
    const MessageHeader::BufferSpan& span = header.buffers[index];
    StoredBuffer stored{.bytes = body.substr(span.offset, span.length), .length = span.length};
    if (header.compression == Compression::none || span.length == 0) return stored;
    std::int64_t length = 0;
    if (span.length < sizeof(length)) fail("buffer {} has {} bytes", index, span.length);
    std::memcpy(&length, stored.bytes.data(), sizeof(length));
    stored.bytes.remove_prefix(sizeof(length));
    stored.is_compressed = length != -1;
    if (!stored.is_compressed) {
        stored.length = stored.bytes.size();
    } else if (length < 0 || static_cast<std::uint64_t>(length) >
                                 Lz4Decompressor::length_max(stored.bytes.size())) {
        // Checked before any memory is taken for it.
        fail("buffer {} claims to hold {} bytes", index, length);
    } else {
        stored.length = static_cast<std::uint64_t>(length);
    }
    return stored;
}

std::size_t buffer_count(Layout layout) {
    return layout == Layout::bytes ? 3 : 2;
}

}  // namespace

struct BatchDecoder::Impl {
    void fill(const StoredBuffer& stored, std::uint8_t* out, std::size_t bytes);
    std::string_view content(const StoredBuffer& stored, Buffer& scratch);
    const std::uint8_t* read_bits(const StoredBuffer& stored, std::size_t rows, Buffer& scratch);
    const std::uint8_t* read_validity(const StoredBuffer& stored, const MessageHeader::Node& node);
    const std::int32_t* read_offsets(const StoredBuffer& stored, std::size_t rows);
    void append_text(const StoredBuffer& values, const std::int32_t* offsets, std::size_t rows,
                     ColumnBuilder& target);
    void append_column(const MessageHeader& header, std::string_view body, std::size_t node_index,
                       std::size_t buffer_index, ColumnBuilder& target);

    Lz4Decompressor lz4;
    Buffer validity;
    Buffer offsets;
    Buffer values;
};

/// The first `bytes` bytes of a buffer's content into `out`.
void BatchDecoder::Impl::fill(const StoredBuffer& stored, std::uint8_t* out, std::size_t bytes) {
    if (stored.length < bytes) {
        fail("a buffer holds {} bytes where {} are needed", stored.length, bytes);
    }
    if (bytes == 0) return;
    if (stored.is_compressed && stored.length == bytes) {
        if (!lz4.decompress(stored.bytes, out, bytes)) fail("a buffer cannot be decompressed");
    } else {
        // Other writers may pad what they compress.
        std::memcpy(out, content(stored, values).data(), bytes);
    }
}

/// The whole content, in the body or in `scratch`.
std::string_view BatchDecoder::Impl::content(const StoredBuffer& stored, Buffer& scratch) {
    if (!stored.is_compressed || stored.length == 0) return stored.bytes.substr(0, stored.length);
    scratch.resize(stored.length);
    if (!lz4.decompress(stored.bytes, scratch.data(), stored.length)) {
        fail("a buffer cannot be decompressed");
    }
    return {reinterpret_cast<const char*>(scratch.data()), stored.length};
}

const std::uint8_t* BatchDecoder::Impl::read_bits(const StoredBuffer& stored, std::size_t rows,
                                                  Buffer& scratch) {
    const std::string_view bits = content(stored, scratch);
    if (bits.size() < columns::bitmap_bytes(rows)) {
        fail("a bitmap has {} bytes for {} rows", bits.size(), rows);
    }
    return reinterpret_cast<const std::uint8_t*>(bits.data());
}

const std::uint8_t* BatchDecoder::Impl::read_validity(const StoredBuffer& stored,
                                                      const MessageHeader::Node& node) {
    if (node.null_count == 0) return nullptr;
    const std::uint8_t* bits = read_bits(stored, node.length, validity);
    const std::size_t valid = columns::count_set_bits(bits, 0, node.length);
    if (valid + node.null_count != node.length) {
        fail("a column of {} rows says {} nulls and has {}", node.length, node.null_count,
             node.length - valid);
    }
    return bits;
}

/// rows + 1 offsets that do not decrease, the first not negative.
const std::int32_t* BatchDecoder::Impl::read_offsets(const StoredBuffer& stored, std::size_t rows) {
    const std::size_t bytes = (rows + 1) * sizeof(std::int32_t);
    // Before memory is taken for it: the row count is only a claim.
    if (stored.length < bytes) fail("offsets of {} rows in {} bytes", rows, stored.length);
    offsets.clear();
    offsets.resize(bytes);
    fill(stored, offsets.data(), offsets.size());
    const auto* result = offsets.as<std::int32_t>();
    // Without branches: the sign bit is set when any offset is negative or less than the one
    // before.
    auto wrong = static_cast<std::uint32_t>(result[0]);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto next = static_cast<std::uint32_t>(result[i + 1]);
        wrong |= next | (next - static_cast<std::uint32_t>(result[i]));
    }
    if ((wrong >> 31) != 0) fail("offsets of texts decrease");
    return result;
}

void BatchDecoder::Impl::append_text(const StoredBuffer& stored, const std::int32_t* text_offsets,
                                     std::size_t rows, ColumnBuilder& target) {
    const auto from = static_cast<std::size_t>(text_offsets[0]);
    const auto to = static_cast<std::size_t>(text_offsets[rows]);
    if (to > stored.length) fail("texts end at byte {} of {}", to, stored.length);
    if (from == to) return;
    if (from == 0) {
        fill(stored, target.extend_values(to), to);
    } else {
        const std::string_view bytes = content(stored, values).substr(from, to - from);
        std::memcpy(target.extend_values(bytes.size()), bytes.data(), bytes.size());
    }
}

void BatchDecoder::Impl::append_column(const MessageHeader& header, std::string_view body,
                                       std::size_t node_index, std::size_t buffer_index,
                                       ColumnBuilder& target) {
    const MessageHeader::Node& node = header.nodes[node_index];
    const auto rows = static_cast<std::size_t>(node.length);
    const auto nulls = static_cast<std::size_t>(node.null_count);
    const std::uint8_t* valid = read_validity(find_buffer(header, body, buffer_index), node);
    const StoredBuffer second = find_buffer(header, body, buffer_index + 1);
    switch (target.layout()) {
        case Layout::bits:
            target.append_bits(rows, nulls, valid, read_bits(second, rows, values));
            break;
        case Layout::bytes: {
            const std::int32_t* text_offsets = read_offsets(second, rows);
            append_text(find_buffer(header, body, buffer_index + 2), text_offsets, rows, target);
            target.finish_rows(rows, nulls, valid, text_offsets);
            break;
        }
        case Layout::int32:
        case Layout::int64:
        case Layout::float64:
        case Layout::decimal: {
            const std::size_t bytes = rows * columns::value_width(target.layout());
            if (second.length < bytes) fail("{} rows in {} bytes", rows, second.length);
            fill(second, target.extend_values(bytes), bytes);
            target.finish_rows(rows, nulls, valid, nullptr);
            break;
        }
    }
}

BatchDecoder::BatchDecoder() : impl_(std::make_unique<Impl>()) {}
BatchDecoder::~BatchDecoder() = default;
BatchDecoder::BatchDecoder(BatchDecoder&&) noexcept = default;

void BatchDecoder::append_to(const MessageHeader& header, std::string_view body,
                             const std::vector<IpcField>& fields,
                             const std::vector<ColumnBuilder*>& targets) {
    TIPPLE_ASSERT(header.kind == MessageHeader::Kind::record_batch &&
                  body.size() == header.body_length && fields.size() == targets.size());
    std::size_t buffers = 0;
    for (const IpcField& field : fields)
        buffers += buffer_count(columns::layout_of(field.type.type));
    if (header.nodes.size() != fields.size() || header.buffers.size() != buffers) {
        fail("a batch has {} columns and {} buffers, its schema {} and {}", header.nodes.size(),
             header.buffers.size(), fields.size(), buffers);
    }
    if (header.rows == 0) return;
    std::size_t buffer = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (targets[i] != nullptr) {
            TIPPLE_ASSERT(targets[i]->type() == fields[i].type);
            impl_->append_column(header, body, i, buffer, *targets[i]);
        }
        buffer += buffer_count(columns::layout_of(fields[i].type.type));
    }
}

std::uint64_t decoded_bytes(const MessageHeader& header, std::string_view body) {
    TIPPLE_ASSERT(body.size() == header.body_length);
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < header.buffers.size(); ++i) {
        bytes += find_buffer(header, body, i).length;
    }
    return bytes;
}

}  // namespace tipple::format
