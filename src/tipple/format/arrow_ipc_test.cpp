#include "tipple/format/arrow_ipc.h"

#include <cstring>
#include <numeric>

#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/ipc_stream.h"
#include "support/random_columns.h"
#include "tipple/core/error.h"

namespace tipple::format {
namespace {

using columns::ColumnBuilder;
using columns::ColumnType;
using columns::ColumnView;
using schema::DataType;
using support::Nulls;
using support::Random;

std::vector<IpcField> fields_for(const std::vector<ColumnType>& types) {
    std::vector<IpcField> fields;
    for (const ColumnType& type : types)
        fields.push_back({"column " + std::to_string(fields.size()), type});
    return fields;
}

/// Two batches of all types with nulls, for tests of damage.
std::string sample_stream(Compression compression, std::size_t rows = 300) {
    Random random(5);
    support::StreamBuilder stream;
    for (const ColumnType& type : support::every_column_type()) {
        stream.add("c" + std::to_string(stream.fields().size()),
                   support::random_column(type, rows, Nulls::some, random));
    }
    return stream.encode(compression, 2);
}

TEST(ArrowIpc, RandomColumnsComeBack) {
    const bool passed = rc::check("encode and decode", [] {
        Random random(*rc::gen::arbitrary<std::uint64_t>());
        const auto compression = *rc::gen::element(Compression::none, Compression::lz4);
        const auto types =
            *rc::gen::resize(15, rc::gen::container<std::vector<ColumnType>>(
                                     rc::gen::elementOf(support::every_column_type())));
        const auto batch_rows =
            *rc::gen::resize(8, rc::gen::container<std::vector<std::size_t>>(
                                    rc::gen::element<std::size_t>(0, 1, 7, 8, 9, 63, 500, 3'000)));

        std::string bytes;
        append_schema(bytes, fields_for(types));
        BatchEncoder encoder(compression);
        std::vector<ColumnBuilder> all(types.begin(), types.end());
        for (const std::size_t rows : batch_rows) {
            std::vector<ColumnBuilder> part;
            std::vector<ColumnView> views;
            for (const ColumnType& type : types) {
                part.push_back(support::random_column(
                    type, rows, static_cast<Nulls>(support::pick(random, 2)), random));
                views.push_back(part.back().view());
                all[views.size() - 1].append_rows(views.back(), 0, rows);
            }
            encoder.append_batch(bytes, views, rows);
        }
        append_end_of_stream(bytes);
        RC_ASSERT(bytes.size() % 8 == 0U);

        const support::DecodedStream stream = support::decode_stream(bytes);
        RC_ASSERT(stream.fields == fields_for(types));
        RC_ASSERT(stream.rows ==
                  std::accumulate(batch_rows.begin(), batch_rows.end(), std::size_t{0}));
        RC_ASSERT(stream.batches == batch_rows.size());
        for (std::size_t i = 0; i < types.size(); ++i) {
            RC_ASSERT(support::difference(stream.columns[i].view(), all[i].view()) == "");
        }
    });
    EXPECT_TRUE(passed);
}

TEST(ArrowIpc, ConstantColumnsAreWrittenOutInFull) {
    const columns::ConstantText text(DataType::text, "1795404633.634409");
    const columns::ConstantText empty(DataType::text, "");
    ColumnBuilder number({.type = DataType::bigint});
    number.append_int64(-5);
    ColumnBuilder yes({.type = DataType::bool_});
    yes.append_bool(true);
    for (const std::size_t rows : {0U, 1U, 3U, 1000U}) {
        std::vector<ColumnView> views = {text.view(rows), empty.view(rows), number.view(),
                                         yes.view()};
        for (std::size_t i = 2; i < 4; ++i) {
            views[i].is_constant = true;
            views[i].length = rows;
        }
        const auto fields =
            fields_for({views[0].type, views[1].type, views[2].type, views[3].type});
        std::string bytes;
        append_schema(bytes, fields);
        BatchEncoder(Compression::lz4).append_batch(bytes, views, rows);
        append_end_of_stream(bytes);
        const support::DecodedStream stream = support::decode_stream(bytes);
        for (std::size_t i = 0; i < views.size(); ++i) {
            EXPECT_EQ(support::difference(stream.columns[i].view(), views[i]), "")
                << i << ", " << rows << " rows";
        }
    }
}

TEST(ArrowIpc, ColumnsCanBeLeftOut) {
    Random random(1);
    const std::vector<ColumnType> types = {
        {.type = DataType::text}, {.type = DataType::bool_}, {.type = DataType::bigint}};
    std::vector<ColumnBuilder> builders;
    std::vector<ColumnView> views;
    for (const ColumnType& type : types)
        builders.push_back(support::random_column(type, 100, Nulls::some, random));
    for (const ColumnBuilder& builder : builders) views.push_back(builder.view());
    std::string message;
    BatchEncoder(Compression::lz4).append_batch(message, views, 100);
    const std::uint32_t length = parse_message_prefix(std::string_view(message).substr(0, 8));
    const MessageHeader header = parse_message_header(std::string_view(message).substr(8, length));
    ColumnBuilder target(types[2]);
    BatchDecoder().append_to(header, std::string_view(message).substr(8 + length),
                             fields_for(types), {nullptr, nullptr, &target});
    EXPECT_EQ(support::difference(target.view(), views[2]), "");
}

TEST(ArrowIpc, LongNamesAndManyColumns) {
    std::vector<IpcField> fields;
    for (int i = 0; i < 3'000; ++i)
        fields.push_back({std::string(static_cast<std::size_t>(i % 100), 'n') + std::to_string(i),
                          {.type = DataType::json}});
    fields.push_back({std::string(65'536, 'x') + "\"\n🚀", {.type = DataType::text}});
    fields.push_back({"", {.type = DataType::text}});
    std::string bytes;
    append_schema(bytes, fields);
    append_end_of_stream(bytes);
    EXPECT_EQ(support::decode_stream(bytes).fields, fields);
}

TEST(ArrowIpc, WhatDoesNotShrinkIsStoredAsItIs) {
    Random random(3);
    ColumnBuilder noise({.type = DataType::bigint});
    for (int i = 0; i < 1'000; ++i) noise.append_int64(static_cast<std::int64_t>(random()));
    std::string plain;
    std::string packed;
    BatchEncoder(Compression::none).append_batch(plain, {noise.view()}, 1'000);
    BatchEncoder(Compression::lz4).append_batch(packed, {noise.view()}, 1'000);
    EXPECT_LE(packed.size(), plain.size() + 64);

    ColumnBuilder zeros({.type = DataType::bigint});
    for (int i = 0; i < 100'000; ++i) zeros.append_int64(0);
    std::string small;
    BatchEncoder(Compression::lz4).append_batch(small, {zeros.view()}, 100'000);
    EXPECT_LT(small.size(), 5'000U);
}

TEST(ArrowIpc, DecimalsThatNoneCanReadAreABug) {
    std::string out;
    EXPECT_THROW(append_schema(out, {{"d", {.type = DataType::decimal}}}), Bug);
    EXPECT_THROW(
        append_schema(out, {{"d", {.type = DataType::decimal, .precision = 5, .scale = 6}}}), Bug);
}

TEST(ArrowIpc, EveryTruncationIsAnError) {
    for (const Compression compression : {Compression::none, Compression::lz4}) {
        const std::string bytes = sample_stream(compression, 20);
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            EXPECT_THROW(support::decode_stream(std::string_view(bytes).substr(0, length)), Error)
                << length;
        }
    }
}

/// Whatever the bytes are: a result or Error(corrupt), and with the sanitizers no read or write
/// outside of any buffer.
void expect_no_harm(const std::string& bytes) {
    try {
        support::decode_stream(bytes);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::corrupt) << error.what();
    }
}

TEST(ArrowIpc, EveryFlippedByteOfAHeaderIsHarmless) {
    const std::string bytes = sample_stream(Compression::lz4, 20);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
            std::string damaged = bytes;
            damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
            expect_no_harm(damaged);
        }
    }
}

TEST(ArrowIpc, RandomDamageIsHarmless) {
    Random random(11);
    for (const Compression compression : {Compression::none, Compression::lz4}) {
        const std::string bytes = sample_stream(compression);
        for (int i = 0; i < 3'000; ++i) {
            std::string damaged = bytes;
            for (std::size_t hits = 1 + support::pick(random, 3); hits > 0; --hits) {
                const std::size_t at = support::pick(random, damaged.size() - 9);
                const std::uint64_t noise = random() >> (8 * support::pick(random, 7));
                std::memcpy(damaged.data() + at, &noise, 1 + support::pick(random, 7));
            }
            expect_no_harm(damaged);
        }
    }
}

TEST(ArrowIpc, OverlappingPartsDoNotMultiplyWork) {
    // A list of fields that are all one and the same, which has a long name: short to write, long
    // to read.
    using flatbuffers::Offset;
    flatbuffers::FlatBufferBuilder builder;
    const auto name = builder.CreateString(std::string(60'000, 'x'));
    auto start = builder.StartTable();
    const Offset<void> type(builder.EndTable(start));
    start = builder.StartTable();
    builder.AddOffset(4, name);
    builder.AddElement<std::uint8_t>(8, 5, 0);
    builder.AddOffset(10, type);
    const Offset<void> field(builder.EndTable(start));
    const auto parse_with_fields = [&](std::size_t count) {
        const auto fields = builder.CreateVector(std::vector<Offset<void>>(count, field));
        start = builder.StartTable();
        builder.AddOffset(6, fields);
        const Offset<void> schema(builder.EndTable(start));
        start = builder.StartTable();
        builder.AddElement<std::int16_t>(4, 4, 0);
        builder.AddElement<std::uint8_t>(6, 1, 0);
        builder.AddOffset(8, schema);
        builder.Finish(Offset<void>(builder.EndTable(start)));
        return parse_message_header(
            {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
    };
    EXPECT_EQ(parse_with_fields(1).fields.size(), 1U);
    EXPECT_THROW(parse_with_fields(10'000), Error);
}

TEST(ArrowIpc, ForeignTypesAreRefused) {
    for (const char* text : {"", "\1\2\3", "\4\0\0\0"})
        EXPECT_THROW(parse_message_header(text), Error);
    EXPECT_THROW(parse_message_prefix("ARROW1xx"), Error);
    EXPECT_THROW(parse_message_prefix(std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8)),
                 Error);
}

}  // namespace
}  // namespace tipple::format
