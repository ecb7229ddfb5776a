// pyarrow reads what we write and we read what pyarrow writes. Skipped where there is no pyarrow:
// set TIPPLE_PYTHON to an interpreter that has it.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "support/ipc_stream.h"
#include "support/random_columns.h"
#include "support/temporary_folder.h"
#include "tipple/format/arrow_ipc.h"

namespace tipple::format {
namespace {

using columns::ColumnBuilder;
using columns::ColumnView;
using schema::DataType;
using support::Nulls;

struct Outcome {
    int status = -1;
    std::string output;
};

Outcome run_oracle(const std::string& arguments) {
    const char* python = std::getenv("TIPPLE_PYTHON");
    const std::string command =
        std::string(python != nullptr ? python : "python3") +
        " \"" TIPPLE_SOURCE_DIR "/src/tipple/format/arrow_ipc_oracle.py\" " + arguments + " 2>&1";
    Outcome outcome;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return outcome;
    char part[4096];
    while (const std::size_t got = std::fread(part, 1, sizeof(part), pipe))
        outcome.output.append(part, got);
    outcome.status = ::pclose(pipe);
    return outcome;
}

void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_file(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

class ArrowOracle : public testing::Test {
protected:
    void SetUp() override {
        static const Outcome has_pyarrow = run_oracle("import");
        if (has_pyarrow.status != 0) {
            GTEST_SKIP() << "no Python with pyarrow here (TIPPLE_PYTHON or python3): "
                         << has_pyarrow.output;
        }
    }

    std::string describe(const std::string& stream) {
        write_file(folder_.path("in"), stream);
        const Outcome outcome = run_oracle("describe " + folder_.path("in"));
        EXPECT_EQ(outcome.status, 0) << outcome.output;
        return outcome.output;
    }
    std::string rewrite(const std::string& stream, const std::string& codec) {
        write_file(folder_.path("in"), stream);
        const Outcome outcome =
            run_oracle("rewrite " + folder_.path("in") + " " + folder_.path("out") + " " + codec);
        EXPECT_EQ(outcome.status, 0) << outcome.output;
        return read_file(folder_.path("out"));
    }

    support::TemporaryFolder folder_;
};

TEST_F(ArrowOracle, TypesAndValuesMeanTheSame) {
    support::StreamBuilder stream;
    const auto add = [&](const char* name, columns::ColumnType type, auto append) {
        ColumnBuilder builder(type);
        append(builder);
        builder.append_null();
        stream.add(name, std::move(builder));
    };
    add("text", {.type = DataType::text}, [](ColumnBuilder& b) { b.append_text("é"); });
    add("bigint", {.type = DataType::bigint}, [](ColumnBuilder& b) { b.append_int64(INT64_MIN); });
    add("double", {.type = DataType::double_}, [](ColumnBuilder& b) { b.append_double(-0.5); });
    add("bool", {.type = DataType::bool_}, [](ColumnBuilder& b) { b.append_bool(true); });
    add("utc", {.type = DataType::timestamp},
        [](ColumnBuilder& b) { b.append_int64(1'795'539'858'123'456); });
    add("naive", {.type = DataType::timestamp, .timezone = false},
        [](ColumnBuilder& b) { b.append_int64(-1); });
    add("date", {.type = DataType::date}, [](ColumnBuilder& b) { b.append_int32(-1); });
    add("time", {.type = DataType::time}, [](ColumnBuilder& b) { b.append_int64(86'399'999'999); });
    add("decimal", {.type = DataType::decimal, .precision = 10, .scale = 3},
        [](ColumnBuilder& b) { b.append_int128(-1'234'567); });
    add("wei", {.type = DataType::wei, .precision = 38}, [](ColumnBuilder& b) {
        b.append_int128(columns::int128{1'000'000'000'000'000'000} * 1'000'000'000'000'000'000);
    });
    add("binary", {.type = DataType::binary},
        [](ColumnBuilder& b) { b.append_text(std::string_view("\0\xFF", 2)); });
    add("json", {.type = DataType::json}, [](ColumnBuilder& b) { b.append_text("{}"); });
    const char* expected = R"expected(text string text ['é', 'None']
bigint int64 bigint ['-9223372036854775808', 'None']
double double double ['-0.5', 'None']
bool bool bool ['True', 'None']
utc timestamp[us, tz=UTC] timestamp ['2026-11-24 17:04:18.123456+00:00', 'None']
naive timestamp[us] timestamp ['1969-12-31 23:59:59.999999', 'None']
date date32[day] date ['1969-12-31', 'None']
time time64[us] time ['23:59:59.999999', 'None']
decimal decimal128(10, 3) decimal ['-1234.567', 'None']
wei decimal128(38, 0) wei ['1000000000000000000000000000000000000', 'None']
binary binary binary ["b'\\x00\\xff'", 'None']
json extension<arrow.json> json ['{}', 'None']
)expected";
    for (const Compression compression : {Compression::none, Compression::lz4}) {
        EXPECT_EQ(describe(stream.encode(compression)), expected);
    }
}

TEST_F(ArrowOracle, EverythingSurvivesARewrite) {
    support::Random random(23);
    for (const char* codec : {"lz4", "none"}) {
        for (const std::size_t rows : {0U, 1U, 9U, 64U, 5'000U}) {
            support::StreamBuilder stream;
            for (const auto& type : support::every_column_type()) {
                for (const Nulls nulls : {Nulls::none, Nulls::some, Nulls::all}) {
                    stream.add("c" + std::to_string(stream.fields().size()),
                               support::random_column(type, rows, nulls, random));
                }
            }
            const support::DecodedStream back =
                support::decode_stream(rewrite(stream.encode(Compression::lz4), codec));
            ASSERT_EQ(back.fields, stream.fields());
            for (std::size_t i = 0; i < back.columns.size(); ++i) {
                EXPECT_EQ(support::difference(back.columns[i].view(), stream.views()[i]), "")
                    << i << ", " << rows << " rows, " << codec;
            }
        }
    }
}

TEST_F(ArrowOracle, StreamsWithoutColumnsOrBatches) {
    std::string no_batches;
    append_schema(no_batches, {{"a", {.type = DataType::text}}});
    append_end_of_stream(no_batches);
    EXPECT_EQ(support::decode_stream(rewrite(no_batches, "lz4")).rows, 0U);

    std::string no_columns;
    append_schema(no_columns, {});
    BatchEncoder(Compression::lz4).append_batch(no_columns, {}, 17);
    append_end_of_stream(no_columns);
    EXPECT_EQ(support::decode_stream(no_columns).rows, 17U);
    EXPECT_EQ(support::decode_stream(rewrite(no_columns, "lz4")).rows, 17U);
}

}  // namespace
}  // namespace tipple::format
