#include <benchmark/benchmark.h>

#include "micro/sample_text.h"
#include "micro/shredded_page.h"
#include "tipple/format/arrow_ipc.h"

namespace tipple::bench {
namespace {

/// nested_lines or flat_lines.
using Lines = std::string (*)(std::size_t);

/// The root table's rows of one shredded page.
class RootRows {
public:
    explicit RootRows(std::string lines)
        : page_(std::move(lines)), table_(page_.result().tables.front()) {
        for (std::size_t i = 0; i < table_.columns.size(); ++i) {
            fields_.push_back({std::string(table_.names[i]), table_.columns[i].type});
            bytes_ += table_.columns[i].byte_size();
        }
    }
    const normalize::TableRows& rows() const { return table_; }
    const std::vector<format::IpcField>& fields() const { return fields_; }
    std::int64_t bytes() const { return static_cast<std::int64_t>(bytes_); }

private:
    ShreddedPage page_;
    const normalize::TableRows& table_;
    std::vector<format::IpcField> fields_;
    std::size_t bytes_ = 0;
};

/// Bytes per second are those of the columns in memory.
void report(benchmark::State& state, const RootRows& root, std::size_t encoded) {
    state.SetBytesProcessed(root.bytes() * state.iterations());
    state.SetItemsProcessed(static_cast<std::int64_t>(root.rows().rows) * state.iterations());
    state.counters["ratio"] = static_cast<double>(root.bytes()) / static_cast<double>(encoded);
}

std::string encoded_rows(const RootRows& root, format::BatchEncoder& encoder) {
    std::string out;
    encoder.append_batch(out, root.rows().columns, root.rows().rows);
    return out;
}

void encode(benchmark::State& state, Lines lines, format::Compression compression) {
    const RootRows root(lines(limits::page_bytes));
    format::BatchEncoder encoder(compression);
    std::string out;
    for (auto _ : state) {
        out.clear();
        encoder.append_batch(out, root.rows().columns, root.rows().rows);
        benchmark::DoNotOptimize(out.data());
    }
    report(state, root, out.size());
}

void decode(benchmark::State& state, Lines lines, format::Compression compression) {
    const RootRows root(lines(limits::page_bytes));
    format::BatchEncoder encoder(compression);
    const std::string encoded = encoded_rows(root, encoder);
    std::vector<columns::ColumnBuilder> builders;
    for (const format::IpcField& field : root.fields()) builders.emplace_back(field.type);
    std::vector<columns::ColumnBuilder*> targets;
    for (columns::ColumnBuilder& builder : builders) targets.push_back(&builder);
    format::BatchDecoder decoder;
    for (auto _ : state) {
        const std::string_view bytes = encoded;
        const std::uint32_t length =
            format::parse_message_prefix(bytes.substr(0, format::message_prefix_bytes));
        const format::MessageHeader header =
            format::parse_message_header(bytes.substr(format::message_prefix_bytes, length));
        for (columns::ColumnBuilder& builder : builders) builder.clear();
        decoder.append_to(header,
                          bytes.substr(format::message_prefix_bytes + length, header.body_length),
                          root.fields(), targets);
        benchmark::DoNotOptimize(builders.data());
    }
    TIPPLE_ASSERT(builders.front().length() == root.rows().rows);
    report(state, root, encoded.size());
}

using format::Compression;
BENCHMARK_CAPTURE(encode, nested_lz4, nested_lines, Compression::lz4);
BENCHMARK_CAPTURE(encode, nested_plain, nested_lines, Compression::none);
BENCHMARK_CAPTURE(encode, flat_lz4, flat_lines, Compression::lz4);
BENCHMARK_CAPTURE(encode, flat_plain, flat_lines, Compression::none);
BENCHMARK_CAPTURE(decode, nested_lz4, nested_lines, Compression::lz4);
BENCHMARK_CAPTURE(decode, nested_plain, nested_lines, Compression::none);
BENCHMARK_CAPTURE(decode, flat_lz4, flat_lines, Compression::lz4);
BENCHMARK_CAPTURE(decode, flat_plain, flat_lines, Compression::none);

}  // namespace
}  // namespace tipple::bench
