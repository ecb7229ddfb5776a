#include <algorithm>

#include "tipple/columns/buffer.h"
#include "tipple/core/error.h"
#include "tipple/format/ipc_metadata.h"
#include "tipple/format/lz4.h"

namespace tipple::format {

namespace {

using columns::Buffer;
using columns::ColumnView;
using columns::Layout;

/// Below this a frame's own header eats up what compression saves.
constexpr std::size_t compressed_bytes_min = 64;
constexpr std::int64_t stored_raw = -1;

}  // namespace

struct BatchEncoder::Impl {
    explicit Impl(Compression chosen) : compression(chosen) {}

    void add_buffer(const void* data, std::size_t bytes);
    void add_compressed(std::string_view bytes);
    void add_column(const ColumnView& column, std::size_t rows);
    void add_constant(const ColumnView& column, std::size_t rows);
    void repeat(std::string_view value, std::size_t count);

    Compression compression;
    Lz4Compressor lz4;
    flatbuffers::FlatBufferBuilder builder;
    std::vector<FlatPair> nodes;
    std::vector<FlatPair> buffers;
    Buffer body;
    Buffer expanded;
};

void BatchEncoder::Impl::add_buffer(const void* data, std::size_t bytes) {
    const std::size_t offset = body.size();
    if (bytes > 0) {
        if (compression == Compression::lz4) {
            add_compressed({static_cast<const char*>(data), bytes});
        } else {
            body.append(data, bytes);
        }
    }
    buffers.push_back(
        {static_cast<std::int64_t>(offset), static_cast<std::int64_t>(body.size() - offset)});
    // 64 lets readers that map a file use the buffers where they lie; compressed ones they cannot
    // use anyway.
    const std::size_t alignment = compression == Compression::lz4 ? 8 : Buffer::alignment;
    body.resize_zeroed((body.size() + alignment - 1) / alignment * alignment);
}

void BatchEncoder::Impl::add_compressed(std::string_view bytes) {
    std::size_t compressed = bytes.size();
    const std::size_t start = body.size() + sizeof(std::int64_t);
    if (bytes.size() >= compressed_bytes_min) {
        const std::size_t room = Lz4Compressor::bound(bytes.size());
        body.reserve(start + room);
        compressed = lz4.compress(bytes, body.data() + start, room);
    }
    if (compressed < bytes.size()) {
        body.push(static_cast<std::int64_t>(bytes.size()));
        body.resize(start + compressed);
    } else {
        body.push(stored_raw);
        body.append(bytes.data(), bytes.size());
    }
}

void BatchEncoder::Impl::add_column(const ColumnView& column, std::size_t rows) {
    TIPPLE_ASSERT(column.length == rows);
    const std::size_t null_count = column.is_constant ? 0 : column.null_count;
    nodes.push_back({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(null_count)});
    add_buffer(column.validity, null_count > 0 ? columns::bitmap_bytes(rows) : 0);
    if (column.is_constant) {
        add_constant(column, rows);
        return;
    }
    const Layout layout = columns::layout_of(column.type.type);
    if (layout == Layout::bytes) {
        add_buffer(column.offsets, (rows + 1) * sizeof(std::int32_t));
        add_buffer(column.values, static_cast<std::size_t>(column.offsets[rows]));
    } else if (layout == Layout::bits) {
        add_buffer(column.values, columns::bitmap_bytes(rows));
    } else {
        add_buffer(column.values, rows * columns::value_width(layout));
    }
}

/// Puts `count` copies of `value` into `expanded`, each step copying all that is there already.
void BatchEncoder::Impl::repeat(std::string_view value, std::size_t count) {
    expanded.clear();
    if (value.empty() || count == 0) return;
    const std::size_t bytes = value.size() * count;
    expanded.reserve(bytes);
    expanded.append(value.data(), value.size());
    while (expanded.size() < bytes) {
        const std::size_t step = std::min(expanded.size(), bytes - expanded.size());
        expanded.append(expanded.data(), step);
    }
}

void BatchEncoder::Impl::add_constant(const ColumnView& column, std::size_t rows) {
    const Layout layout = columns::layout_of(column.type.type);
    const auto* values = reinterpret_cast<const char*>(column.values);
    if (layout == Layout::bytes) {
        const std::string_view text = column.text(0);
        TIPPLE_ASSERT(text.size() * rows <= limits::text_buffer_bytes_max);
        expanded.resize((rows + 1) * sizeof(std::int32_t));
        for (std::size_t i = 0; i <= rows; ++i) {
            expanded.as<std::int32_t>()[i] = static_cast<std::int32_t>(i * text.size());
        }
        add_buffer(expanded.data(), expanded.size());
        repeat(text, rows);
    } else if (layout == Layout::bits) {
        const char byte = column.boolean(0) ? '\xFF' : '\0';
        repeat({&byte, 1}, columns::bitmap_bytes(rows));
    } else {
        repeat({values, columns::value_width(layout)}, rows);
    }
    add_buffer(expanded.data(), expanded.size());
}

BatchEncoder::BatchEncoder(Compression compression) : impl_(std::make_unique<Impl>(compression)) {}
BatchEncoder::~BatchEncoder() = default;
BatchEncoder::BatchEncoder(BatchEncoder&&) noexcept = default;

void BatchEncoder::append_batch(std::string& out, const std::vector<ColumnView>& columns,
                                std::size_t rows) {
    impl_->nodes.clear();
    impl_->buffers.clear();
    impl_->body.clear();
    for (const ColumnView& column : columns) impl_->add_column(column, rows);
    append_record_batch_header(out, impl_->builder, rows, impl_->nodes, impl_->buffers,
                               impl_->compression, impl_->body.size());
    if (impl_->body.empty()) return;
    out.append(reinterpret_cast<const char*>(impl_->body.data()), impl_->body.size());
}

}  // namespace tipple::format
