// With `widens`, types, variants and values of a run do not depend on the order of its records, on pages or on workers.
#include <algorithm>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "pipeline/pipeline_fixture.h"
#include "tipple/schema/widening.h"

namespace tipple::pipeline {
namespace {

using Texts = std::vector<std::string>;

/// JSON texts of values that are of many kinds, and at the borders between them.
const Texts values_of_all_kinds = {"1",    "-7",     "9007199254740992", "9007199254740993", "-9223372036854775808", "2.0",  "0.5",
                                   "1e300", "true",  "\"a\"",            "\"5\"",            "\"2024-01-02\"",       "\"2024-01-02T03:04:05Z\"",
                                   "\"2024-01-02T00:00:00+02:00\"",      "null",             "[1, 2.5]",             "{\"k\": 1}"};
/// Kinds that become one column.
const Texts numbers = {"1", "2.5", "-3", "9007199254740992", "null"};

struct Dataset {
    explicit Dataset(io::FileSystem& files) : destination(files) {
        destination.on_query = [this](std::string_view sql) { return std::to_string(large_integers(sql)); };
    }

    /// Of the column that the query names.
    std::size_t large_integers(std::string_view sql) const {
        const std::size_t start = sql.find('"') + 1;
        const std::string column(sql.substr(start, sql.find('"', start) - start));
        const json::Array& rows = destination.rows("t");
        return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](const json::Value& row) {
            const json::Value* value = row.as_object().find(column);
            return value != nullptr && value->is_int() && !schema::is_double_integer(value->as_int());
        }));
    }

    support::RecordingDestination destination;
};

class WideningTest : public testing::Test {
protected:
    /// Each case is several runs, and runs wait for the disk. What the environment asks for comes first.
    static void SetUpTestSuite() { setenv("RC_PARAMS", "max_success=10", 0); }

    /// Loads parts one after the other and describes what is there, in an order of its own.
    std::string load(const std::vector<Texts>& parts, std::size_t workers, std::size_t page_bytes) {
        const support::TemporaryFolder folder;
        Dataset dataset(*files_);
        std::string described;
        for (const Texts& part : parts) {
            support::ScriptedSource source;
            source.lines("t", join(part, "\n") + "\n");
            Pipeline pipeline({.name = "shop", .data_folder = folder.path("data"), .tool_version = "test", .widens = true, .workers = workers}, dataset.destination,
                              *files_, clock_, Log());
            Observer observer;
            const RunReport report = pipeline.run(source, {.page_bytes = page_bytes}, observer, {});
            described = describe(report.schema, dataset.destination);
        }
        return described;
    }

    std::string types(const Texts& records) {
        const std::string described = load({records}, 1, 1 << 20);
        return described.substr(0, described.find("\nt "));
    }

private:
    static std::string describe(const schema::Schema& schema, const support::RecordingDestination& destination) {
        Texts lines;
        for (const auto& table : schema.tables()) {
            if (table->is_internal()) continue;
            for (const schema::Column& column : table->columns()) {
                EXPECT_EQ(column.hints().find("x-unsettled"), nullptr) << column.name();
                if (column.name().starts_with("_dlt")) continue;
                lines.push_back(fmt::format("{}.{} {}{}", table->name(), column.name(), schema::to_text(*column.data_type()), column.flag("variant") ? " variant" : ""));
            }
        }
        std::sort(lines.begin(), lines.end());
        Texts rows;
        for (const std::string& table : {std::string("t"), std::string("t__a"), std::string("t__b")}) {
            for (const json::Value& row : destination.rows(table)) {
                Texts members;
                for (const json::Member& member : row.as_object()) {
                    // A double that was an integer when it was loaded is one still in this destination.
                    const json::Value value = member.value.is_int() ? json::Value(static_cast<double>(member.value.as_int())) : member.value;
                    if (!member.name.starts_with("_dlt")) members.push_back(member.name + "=" + json::to_text(value));
                }
                std::sort(members.begin(), members.end());
                rows.push_back(table + " " + join(members, " "));
            }
        }
        std::sort(rows.begin(), rows.end());
        return join(lines, "\n") + "\n" + join(rows, "\n");
    }

    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    SystemClock clock_;
};

Texts records_of(const Texts& values, int first_id, int count) {
    Texts records;
    for (int i = 0; i < count; ++i) {
        records.push_back(fmt::format(R"({{"id": {}, "a": {}, "b": {}}})", first_id + i, *rc::gen::elementOf(values), *rc::gen::elementOf(values)));
    }
    return records;
}

Texts shuffled(Texts records) {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    std::shuffle(records.begin(), records.end(), random);
    return records;
}

RC_GTEST_FIXTURE_PROP(WideningTest, NothingDependsOnTheOrderOfRecords, ()) {
    const Texts& first_values = *rc::gen::element(values_of_all_kinds, numbers);
    const Texts& later_values = *rc::gen::element(values_of_all_kinds, numbers);
    const Texts first = records_of(first_values, 0, *rc::gen::inRange(1, 8));
    const Texts later = records_of(later_values, 100, *rc::gen::inRange(0, 8));
    std::vector<Texts> parts = {first};
    std::vector<Texts> others = {shuffled(first)};
    if (!later.empty()) {
        parts.push_back(later);
        others.push_back(shuffled(later));
    }
    const std::string expected = load(parts, 1, 1 << 20);
    RC_ASSERT(load(others, *rc::gen::element(1, 2, 3), static_cast<std::size_t>(*rc::gen::element(1, 60, 1 << 20))) == expected);
}

TEST_F(WideningTest, TypesOfOneRun) {
    EXPECT_EQ(types({R"({"n": 1})", R"({"n": 2.5})"}), "t.n double");
    EXPECT_EQ(types({R"({"n": 9007199254740993})", R"({"n": 2.5})"}), "t.n bigint\nt.n__v_double double variant");
    EXPECT_EQ(types({R"({"n": "2024-01-01T00:00:00Z"})", R"({"n": "2024-01-02T00:00:00"})"}), "t.n timestamp");
    EXPECT_EQ(types({R"({"n": "2024-01-01T00:00:00Z"})", R"({"n": "soon"})"}), "t.n text");
    EXPECT_EQ(types({R"({"n": "many"})", R"({"n": 5})"}), "t.n bigint\nt.n__v_text text variant");
    EXPECT_EQ(types({R"({"n": true})", R"({"n": 5})"}), "t.n bigint\nt.n__v_bool bool variant");
}

TEST_F(WideningTest, AColumnOfTheDestinationBecomesDoubleIfItsValuesDo) {
    const std::string small = load({{R"({"n": 1})"}, {R"({"n": 2.5})", R"({"n": 3})"}}, 1, 1 << 20);
    EXPECT_EQ(small, "t.n double\nt n=1.0\nt n=2.5\nt n=3.0");
    const std::string large = load({{R"({"n": 9007199254740993})"}, {R"({"n": 2.5})", R"({"n": 3})"}}, 1, 1 << 20);
    EXPECT_EQ(large, "t.n bigint\nt.n__v_double double variant\nt n=3.0\nt n=9007199254740992.0\nt n__v_double=2.5");
    const std::string new_large = load({{R"({"n": 2.5})"}, {R"({"n": 9007199254740993})", R"({"n": 3})"}}, 1, 1 << 20);
    EXPECT_EQ(new_large, "t.n double\nt.n__v_bigint bigint variant\nt n=2.5\nt n=3.0\nt n__v_bigint=9007199254740992.0");
}

}  // namespace
}  // namespace tipple::pipeline
