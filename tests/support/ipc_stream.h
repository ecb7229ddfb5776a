#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/format/arrow_ipc.h"

namespace tipple::support {

/// Columns of equal length as an Arrow IPC stream with one batch.
class StreamBuilder {
public:
    void add(std::string name, columns::ColumnBuilder column) {
        fields_.push_back({std::move(name), column.type()});
        columns_.push_back(std::move(column));
    }
    const std::vector<format::IpcField>& fields() const { return fields_; }
    std::vector<columns::ColumnView> views() const {
        std::vector<columns::ColumnView> views;
        for (const columns::ColumnBuilder& column : columns_) views.push_back(column.view());
        return views;
    }
    std::string encode(format::Compression compression, int batches = 1) const {
        std::string out;
        format::append_schema(out, fields_);
        format::BatchEncoder encoder(compression);
        for (int i = 0; i < batches; ++i)
            encoder.append_batch(out, views(), columns_.empty() ? 0 : columns_[0].length());
        format::append_end_of_stream(out);
        return out;
    }

private:
    std::vector<format::IpcField> fields_;
    std::vector<columns::ColumnBuilder> columns_;
};

/// A stream taken apart and decoded into one column per field.
struct DecodedStream {
    std::vector<format::IpcField> fields;
    std::vector<columns::ColumnBuilder> columns;
    std::size_t rows = 0;
    std::size_t batches = 0;
};

/// Reads exactly one stream; anything behind it, as anything missing, is Error(corrupt).
inline DecodedStream decode_stream(std::string_view bytes) {
    using Kind = format::MessageHeader::Kind;
    const auto take = [&](std::uint64_t length) {
        if (length > bytes.size()) throw Error(ErrorKind::corrupt, "too short");
        const std::string_view part = bytes.substr(0, length);
        bytes.remove_prefix(length);
        return part;
    };
    const auto next = [&] {
        const std::uint32_t length =
            format::parse_message_prefix(take(format::message_prefix_bytes));
        if (length == 0) return format::MessageHeader();
        // A copy of exactly its size, so that the address sanitizer sees any read beyond it.
        const std::string_view part = take(length);
        const std::unique_ptr<char[]> header(new char[length]);
        std::memcpy(header.get(), part.data(), length);
        return format::parse_message_header({header.get(), length});
    };
    DecodedStream stream;
    const format::MessageHeader first = next();
    if (first.kind != Kind::schema) throw Error(ErrorKind::corrupt, "no schema");
    stream.fields = first.fields;
    stream.columns.reserve(stream.fields.size());
    std::vector<columns::ColumnBuilder*> targets;
    for (const format::IpcField& field : stream.fields) {
        stream.columns.emplace_back(field.type);
        targets.push_back(&stream.columns.back());
    }
    format::BatchDecoder decoder;
    for (;;) {
        const format::MessageHeader header = next();
        if (header.kind == Kind::end_of_stream) break;
        if (header.kind != Kind::record_batch) throw Error(ErrorKind::corrupt, "a second schema");
        const std::string_view part = take(header.body_length);
        const std::unique_ptr<char[]> body(new char[part.size()]);
        if (!part.empty()) std::memcpy(body.get(), part.data(), part.size());
        const std::string_view copy(body.get(), part.size());
        format::decoded_bytes(header, copy);
        decoder.append_to(header, copy, stream.fields, targets);
        stream.rows += header.rows;
        ++stream.batches;
    }
    if (!bytes.empty()) throw Error(ErrorKind::corrupt, "bytes behind the end");
    return stream;
}

}  // namespace tipple::support
