#include "tipple/api/output.h"

#include <array>

#include "tipple/api/api_fixture.h"

namespace tipple {

namespace {

class OutputTest : public ApiTest {
protected:
    /// Loads what `write` writes into the table "t".
    LoadInfo load(const std::function<void(Output&)>& write) {
        return run(one(resource("t", [write](Output& out, ResourceContext&) { write(out); })));
    }
};

TEST_F(OutputTest, JsonComesInEveryForm) {
    load([](Output& out) {
        out.write_json(R"({"n":1})");
        out.write_json("[{\"n\":2}, {\"n\":3}]");
        out.write_json("{\"n\":4}\n{\"n\":5}\n");
        out.write_json("[]");
        out.write_json("");
    });
    EXPECT_EQ(rows("SELECT n FROM t ORDER BY n"), "1 | 2 | 3 | 4 | 5");
}

TEST_F(OutputTest, ALargeTextIsCutBetweenRecords) {
    std::string text = "[";
    for (int i = 0; i < 60'000; ++i) text += fmt::format("{}{{\"n\":{},\"text\":\"{}\"}}", i > 0 ? "," : "", i, std::string(50, 'x'));
    text += "]";
    const LoadInfo info = load([&](Output& out) { out.write_json(text); });
    EXPECT_EQ(info.records, 60'000);
    EXPECT_EQ(rows("SELECT count(DISTINCT n), min(n), max(n) FROM t"), "60000 0 59999");
}

TEST_F(OutputTest, RecordsAreGatheredInOrderWithWhatElseIsWritten) {
    load([](Output& out) {
        for (int i = 0; i < 2'500; ++i) out.write({{"n", i}});
        out.write_json(R"({"n":2500})");
        out.write({{"n", 2'501}, {"name", "last"}});
        out.write(Record{{"name", "only text"}});
        out.write({{"name", "b"}}, {.table = "other"});
    });
    EXPECT_EQ(rows("SELECT count(*), count(DISTINCT n), max(n) FROM t"), "2503 2502 2501");
    EXPECT_EQ(rows("SELECT n FROM t ORDER BY _dlt_id LIMIT 1 OFFSET 1000"), "1000");
    EXPECT_EQ(rows("SELECT name FROM other"), "b");
}

TEST_F(OutputTest, TypedRowsBecomeTypedColumns) {
    load([](Output& out) {
        Rows& rows = out.rows({{"id", DataType::bigint}, {"name", DataType::text}, {"price", DataType::double_}, {"paid", DataType::bool_}, {"at", DataType::timestamp}});
        rows.add(1, "Anna", 1.5, true, Timestamp{.us = 1'000'000});
        rows.add(std::uint8_t{2}, std::string("Bo"), 3, false, nullptr);
        rows.add(std::optional<std::int64_t>(), std::string_view("Cleo"), std::optional<double>(2.5), nullptr, Timestamp{});
    });
    EXPECT_EQ(rows("SELECT id, name, price, paid, epoch(\"at\") FROM t ORDER BY name"), "1 Anna 1.5 true 1.0 | 2 Bo 3.0 false NULL | NULL Cleo 2.5 NULL 0.0");
}

TEST_F(OutputTest, ManyTypedRowsAreWrittenPageByPage) {
    load([](Output& out) {
        Rows& rows = out.rows({{"n", DataType::bigint}});
        for (int i = 0; i < 25'000; ++i) rows.add(i);
    });
    EXPECT_EQ(rows("SELECT count(DISTINCT n) FROM t"), "25000");
}

TEST_F(OutputTest, AValueOfAnotherTypeIsAnErrorAndLeavesNothingBehind) {
    load([](Output& out) {
        Rows& rows = out.rows({{"id", DataType::bigint}, {"name", DataType::text}});
        EXPECT_EQ(error_of(ErrorKind::usage, [&] { rows.add(1, 2); }), "column \"name\" is a text column, but an integer was given");
        EXPECT_EQ(error_of(ErrorKind::usage, [&] { rows.add(1); }), "a row has 1 value for 2 columns");
        rows.add(7, "good");
    });
    EXPECT_EQ(rows("SELECT id, name FROM t"), "7 good");
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, [&] { load([](Output& out) { out.rows({{"d", DataType::decimal}}); }); }), "typed rows hold no decimal"));
}

TEST_F(OutputTest, ATableIsMadeWithoutRecords) {
    auto empty = resource("t", [](Output& out, ResourceContext&) { out.materialize(); });
    empty.columns({"id:bigint"});
    run(one(empty));
    EXPECT_EQ(rows("SELECT count(id) FROM t"), "0");
}

/// A struct array of a bigint and a text column, over memory of the caller.
struct Exported {
    std::array<std::int64_t, 4> numbers = {9, 1, 2, 3};
    std::array<std::int32_t, 5> offsets = {0, 1, 3, 3, 6};
    std::string text = "xaabbb";
    std::uint8_t valid = 0b1011;
    int released = 0;

    ArrowSchema schema{};
    ArrowArray array{};
    std::array<ArrowSchema, 2> field_schemas{};
    std::array<ArrowArray, 2> field_arrays{};
    std::array<ArrowSchema*, 2> schemas{};
    std::array<ArrowArray*, 2> arrays{};
    std::array<const void*, 2> number_buffers{};
    std::array<const void*, 3> text_buffers{};
    const void* no_buffer = nullptr;

    /// The rows from 1 on. `format`: of the numbers.
    explicit Exported(const char* format = "l") {
        const auto field = [&](std::size_t i, const char* type, const char* name, const void** buffers, std::int64_t count) {
            field_schemas[i] = {.format = type, .name = name, .flags = ARROW_FLAG_NULLABLE, .release = [](ArrowSchema* own) { own->release = nullptr; }};
            field_arrays[i] = {.length = 4, .null_count = -1, .n_buffers = count, .buffers = buffers, .release = [](ArrowArray* own) { own->release = nullptr; }};
            schemas[i] = &field_schemas[i];
            arrays[i] = &field_arrays[i];
        };
        number_buffers = {nullptr, numbers.data()};
        text_buffers = {&valid, offsets.data(), text.data()};
        field(0, format, "n", number_buffers.data(), 2);
        field(1, "u", "name", text_buffers.data(), 3);
        schema = {.format = "+s", .n_children = 2, .children = schemas.data(), .release = [](ArrowSchema* own) { own->release = nullptr; }};
        array = {.length = 3,
                 .offset = 1,
                 .n_buffers = 1,
                 .n_children = 2,
                 .buffers = &no_buffer,
                 .children = arrays.data(),
                 .release =
                     [](ArrowArray* own) {
                         ++*static_cast<int*>(own->private_data);
                         own->release = nullptr;
                     },
                 .private_data = &released};
    }
};

TEST_F(OutputTest, ArrowArraysAreTakenOverAndReleased) {
    Exported exported;
    load([&](Output& out) { out.write_arrow(&exported.schema, &exported.array); });
    EXPECT_EQ(exported.released, 1);
    EXPECT_EQ(exported.schema.release, nullptr);
    EXPECT_EQ(rows("SELECT n, name FROM t ORDER BY n"), "1 aa | 2 NULL | 3 bbb");
}

TEST_F(OutputTest, ArrowArraysPassSteps) {
    Exported exported;
    auto copied = resource("t", [&](Output& out, ResourceContext&) { out.write_arrow(&exported.schema, &exported.array, {.table = "named"}); });
    copied.filter([](const Record& record) { return record.get<std::string>("name").has_value(); });
    run(one(copied));
    EXPECT_EQ(exported.released, 1);
    EXPECT_EQ(rows("SELECT n FROM named ORDER BY n"), "1 | 3");
}

TEST_F(OutputTest, NanosecondsOfArrowArraysAreTold) {
    Exported exported("tsn:UTC");
    const LoadInfo info = load([&](Output& out) { out.write_arrow(&exported.schema, &exported.array); });
    ASSERT_EQ(info.warnings.size(), 1U);
    EXPECT_TRUE(contains(info.warnings[0], "column \"n\": times with nanoseconds were cut to microseconds, 3 times, first in ")) << info.warnings[0];
    EXPECT_EQ(rows("SELECT count(*), max(epoch_us(n)) FROM t"), "3 0");
}

TEST_F(OutputTest, NanosecondsPassSteps) {
    const auto filtered = [&](Exported& exported, const char* data_type) {
        auto result = resource("t", [&](Output& out, ResourceContext&) { out.write_arrow(&exported.schema, &exported.array); });
        result.filter([](const Record& record) { return record.get<Timestamp>("n")->ns != 1; });
        result.schema_contract(json::Object{{"data_type", data_type}});
        return one(result);
    };
    Exported told("tsn:UTC");
    const LoadInfo info = run(filtered(told, "evolve"));
    ASSERT_EQ(info.warnings.size(), 1U);
    EXPECT_TRUE(contains(info.warnings[0], "cut to microseconds, 2 times")) << info.warnings[0];
    Exported refused("tsn:UTC");
    EXPECT_TRUE(contains(error_of(ErrorKind::data, [&] { run(filtered(refused, "freeze")); }), "column \"n\": the time 1970-01-01T00:00:00.000000002+00:00 has more digits"));
}

TEST_F(OutputTest, NanosecondsOfTypedRowsAreTold) {
    const LoadInfo info = load([](Output& out) { out.rows({{"at", DataType::timestamp}, {"t", DataType::time}}).add(Timestamp{.us = 5, .ns = 1}, Time{.us = 6}); });
    ASSERT_EQ(info.warnings.size(), 1U);
    EXPECT_TRUE(contains(info.warnings[0], "column \"at\": times with nanoseconds were cut to microseconds, once")) << info.warnings[0];
}

}  // namespace
}  // namespace tipple
