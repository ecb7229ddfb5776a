#include "tipple/normalize/field_adder.h"

#include <gtest/gtest.h>

#include "tipple/columns/value_at.h"
#include "tipple/core/limits.h"
#include "tipple/schema/coerce.h"

namespace tipple::normalize {
namespace {

class FieldAdderTest : public testing::Test {
protected:
    FieldAdderTest() {
        schema_ = schema::Schema::make("test");
        schema_.set_table(schema::Table("t"));
        rules_ = {.naming = schema::NamingConvention::make("snake_case"),
                  .inference = std::make_shared<schema::Inference>(schema_, 0),
                  .breaks_paths = true,
                  .keeps_bad_records = true,
                  .load_id = "1.0",
                  .row_id_prefix = "prefix.."};
    }

    /// The rows of the root table as `column=value`, without those of the system.
    std::vector<std::string> shred(std::string text, const AddedFields& added, std::vector<std::size_t> starts = {}) {
        const std::size_t size = text.size();
        text.append(limits::json_padding, ' ');
        Shredder shredder(rules_);
        shredder.shred({.text = std::string_view(text).substr(0, size), .record_starts = starts, .added = &added}, "t", std::make_shared<const schema::Schema>(schema_), result_);
        std::vector<std::string> rows;
        for (std::size_t row = 0; !result_.tables.empty() && row < result_.tables.front().rows; ++row) {
            std::string line;
            for (std::size_t i = 0; i < result_.tables.front().columns.size(); ++i) {
                const std::string_view name = result_.tables.front().names[i];
                const schema::Value value = columns::value_at(result_.tables.front().columns[i], row);
                if (value.is_null() || name.starts_with("_dlt")) continue;
                line += fmt::format("{}{}={}", line.empty() ? "" : " ", name, schema::coerce(schema::DataType::text, value)->as<std::string>());
            }
            rows.push_back(std::move(line));
        }
        bad_ = result_.bad_records;
        return rows;
    }

    using Rows = std::vector<std::string>;
    const std::vector<std::pair<std::string, schema::Value>> file_ = {{"_file", schema::Value(std::string("x"))}};
    schema::Schema schema_ = schema::Schema::make("test");
    Rules rules_;
    PageResult result_;
    std::vector<BadRecord> bad_;
};

TEST_F(FieldAdderTest, LinesAreThoseOfTheFile) {
    const AddedFields added{.constants = file_, .place = "_line", .line = 10};
    EXPECT_EQ(shred("{\"a\": 1}\n\n{\"a\": 2}\n   \n{\"a\": 3}\n", added), (Rows{"a=1 _file=x _line=10", "a=2 _file=x _line=12", "a=3 _file=x _line=14"}));
}

TEST_F(FieldAdderTest, WithoutLinesRecordsAreCounted) {
    const AddedFields added{.constants = {}, .place = "_line", .line = 0, .records_before = 5};
    // The second record was left out by a cursor.
    EXPECT_EQ(shred("{\"a\": 1}          {\"a\": 3}", added, {0, 9, 18}), (Rows{"a=1 _line=6", "a=3 _line=8"}));
}

TEST_F(FieldAdderTest, BrokenRecordsDoNotMoveLines) {
    const AddedFields added{.constants = {}, .place = "_line", .line = 1};
    EXPECT_EQ(shred("{\"a\": 1}\n{\"a\": \n{\"a\": 3}\n", added), (Rows{"a=1 _line=1", "a=3 _line=3"}));
    ASSERT_EQ(bad_.size(), 1U);
    EXPECT_EQ(bad_[0].text, "{\"a\":");
}

TEST_F(FieldAdderTest, TheSlowWayAddsThemToo) {
    const AddedFields added{.constants = file_, .place = "_line", .line = 1};
    EXPECT_EQ(shred("{\"a\": 1, \"A\": 2}\n5\n", added), (Rows{"a=2 _file=x _line=1", "_file=x _line=2 value=5"}));
}

TEST_F(FieldAdderTest, ARecordThatHasSuchAFieldIsBad) {
    const AddedFields added{.constants = file_, .place = {}};
    EXPECT_EQ(shred("{\"a\": 1, \"_file\": 5}\n{\"a\": 2, \"_file\": null}\n", added), (Rows{"a=2 _file=x"}));
    ASSERT_EQ(bad_.size(), 1U);
    EXPECT_EQ(bad_[0].column, "_file");
    EXPECT_EQ(bad_[0].text, "{\"a\": 1, \"_file\": 5}") << "as it came";
}

TEST_F(FieldAdderTest, RecordsThatArePutAsideTakeThemAlong) {
    PageTables tables(rules_);
    FieldAdder adder(tables);
    const AddedFields added{.constants = file_, .place = "_line", .line = 3};
    const std::string text = "{\"a\": 1}\n{ }\n[1]";
    adder.begin_page({.text = text, .added = &added});
    EXPECT_EQ(adder.with_fields(std::string_view("{\"a\": 1}"), 0), R"({"a": 1,"_file":"x","_line":3})");
    EXPECT_EQ(adder.with_fields(std::string_view("{ }"), 9), R"({ "_file":"x","_line":4})");
    EXPECT_EQ(adder.with_fields(std::string_view("[1]"), 13), "[1]");
}

}  // namespace
}  // namespace tipple::normalize
