#include "tipple/source/record_filter.h"

#include <gtest/gtest.h>

#include "tipple/columns/value_at.h"
#include "tipple/core/error.h"
#include "tipple/core/limits.h"

namespace tipple::extract {

namespace {

using schema::Value;
using Places = std::vector<std::size_t>;

/// What is left of the text, and which records went.
std::pair<std::string, Places> filtered(std::string_view where, std::string text, const std::vector<std::size_t>& starts = {}) {
    const std::size_t size = text.size();
    text.resize(size + limits::json_padding, '\0');
    RecordFilter filter;
    Places dropped = filter.filter(Condition::parse(where, "where"), incremental::JsonRecords{.text = text.data(), .size = size, .record_starts = starts});
    text.resize(size);
    return {text, dropped};
}

TEST(RecordFilter, blanks_json_records_so_that_places_stay) {
    const auto [text, dropped] = filtered("n > 1", "{\"n\":1}\n{\"n\":2}\n\n{\"m\":3}\nnull\n");
    EXPECT_EQ(text, "       \n{\"n\":2}\n\n       \nnull\n");
    EXPECT_EQ(dropped, (Places{0, 2}));
}

TEST(RecordFilter, the_last_member_of_a_name_counts_and_escapes_are_resolved) {
    EXPECT_EQ(filtered("n == 2", "{\"n\":1,\"n\":2}\n{\"n\":2,\"n\":1}").second, (Places{1}));
    EXPECT_EQ(filtered("n == 2", "{\"\\u006e\":2}").second, Places{});
    EXPECT_EQ(filtered("a == null", "{\"a\":[1]}\n{\"a\":{}}\n{\"a\":null}").second, (Places{0, 1}));
}

TEST(RecordFilter, follows_paths_into_records) {
    EXPECT_EQ(filtered("a.b[1] == 7", R"({"a":{"b":[0,7]}} {"a":{"b":[7]}} {"a":1})", {0, 19, 35}).second, (Places{1, 2}));
}

TEST(RecordFilter, leaves_what_is_no_json_to_whoever_reads_it) {
    const auto [text, dropped] = filtered("n == 1", "{\"n\":2}\n{\"n\":\n{\"n\":3}\n{\"n\":1}\n");
    EXPECT_EQ(text, "       \n{\"n\":\n       \n{\"n\":1}\n");
    EXPECT_EQ(dropped, (Places{0, 2}));
}

TEST(RecordFilter, filters_values) {
    const auto record = [](std::int64_t n) { return Value(schema::Object{{.name = "n", .value = n}, {.name = "l", .value = schema::List{Value(n + 1)}}}); };
    std::vector<Value> records = {record(1), Value(), record(2), record(3)};
    RecordFilter filter;
    EXPECT_EQ(filter.filter(Condition::parse("n == 2 or l[*] == 4", "where"), records), (Places{0}));
    ASSERT_EQ(records.size(), 3U);
    EXPECT_TRUE(records[0].is_null()) << "what null is, whoever reads the records will say";
    EXPECT_EQ(records[1].as<schema::Object>().front().value.as<std::int64_t>(), 2);
}

TEST(RecordFilter, filters_rows_of_columns) {
    columns::Batch batch{.rows = 4, .names = {"n"}, .columns = {}};
    batch.columns.emplace_back(columns::ColumnType{.type = schema::DataType::bigint});
    for (const std::int64_t n : {1, 2, 3}) batch.columns[0].append_int64(n);
    batch.columns[0].append_null();
    RecordFilter filter;
    EXPECT_EQ(filter.filter(Condition::parse("n >= 2 and missing == null", "where"), batch, "r"), (Places{0, 3}));
    ASSERT_EQ(batch.rows, 2U);
    EXPECT_EQ(columns::value_at(batch.columns[0].view(), 1).as<std::int64_t>(), 3);
    EXPECT_THROW(filter.filter(Condition::parse("a.b == 1", "where"), batch, "r"), Error);
}

}  // namespace

}  // namespace tipple::extract
