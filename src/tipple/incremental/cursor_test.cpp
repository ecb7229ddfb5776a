// The reference's vectors, each through JSON text, typed values and columns.
#include "tipple/incremental/cursor.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/incremental/page_filter.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/schema/json_value.h"

namespace tipple::incremental {
namespace {

using schema::Value;

enum class Form { json, values, columns };
void PrintTo(Form form, std::ostream* out) { *out << (form == Form::json ? "json" : form == Form::values ? "values" : "columns"); }

/// `1@5 2@- 3`: records with id and t; `-` is null, nothing is a record without t.
json::Array records(std::string_view text) {
    json::Array list;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        const std::size_t at = word.find('@');
        json::Object record = {{"id", json::parse(word.substr(0, at))}};
        if (at != std::string_view::npos) record.set("t", word.substr(at + 1) == "-" ? json::Value() : json::parse(word.substr(at + 1)));
        list.emplace_back(std::move(record));
    }
    return list;
}

columns::Batch batch_of(const json::Array& list) {
    columns::Batch batch{.rows = list.size(), .names = {"id", "t"}, .columns = {}};
    const bool is_real = std::any_of(list.begin(), list.end(), [](const json::Value& record) {
        const json::Value* t = record.as_object().find("t");
        return t != nullptr && t->is_double();
    });
    for (const char* name : {"id", "t"}) {
        const bool as_double = is_real && std::string_view(name) == "t";
        columns::ColumnBuilder& column = batch.columns.emplace_back(columns::ColumnType{as_double ? schema::DataType::double_ : schema::DataType::bigint});
        for (const json::Value& record : list) {
            const json::Value* value = record.as_object().find(name);
            if (value == nullptr || value->is_null()) {
                column.append_null();
            } else if (as_double) {
                column.append_double(value->as_double());
            } else {
                column.append_int64(value->as_int());
            }
        }
    }
    return batch;
}

class CursorTest : public testing::TestWithParam<Form> {
protected:
    /// Reads pages of records; returns the ids of those that were kept, pages behind the end not being asked for.
    std::string run(const std::vector<std::string>& pages) {
        std::vector<json::Array> lists;
        for (const std::string& page : pages) lists.push_back(records(page));
        return run(lists);
    }
    std::string run(const std::vector<json::Array>& pages) {
        Cursor cursor(spec_, "r", key_, slot_ ? &*slot_ : nullptr);
        std::string kept;
        pages_read_ = 0;
        for (const json::Array& page : pages) {
            if (cursor.is_done()) break;
            ++pages_read_;
            PageFold fold;
            filter(cursor, page, fold, kept);
            cursor.take(fold);
        }
        slot_ = cursor.slot();
        if (!kept.empty()) kept.pop_back();
        return kept;
    }

    void filter(const Cursor& cursor, const json::Array& page, PageFold& fold, std::string& kept) {
        const CursorStart& start = cursor.start();
        const FilterOptions options{.last = cursor.last()};
        std::optional<RecordProblem> problem;
        if (GetParam() == Form::values) {
            std::vector<Value> values;
            for (const json::Value& record : page) values.push_back(schema::to_value(record));
            problem = filter_.filter(start, values, options, fold);
            for (const Value& value : values) kept += fmt::format("{} ", value.as<schema::Object>()[0].value.as<std::int64_t>());
        } else if (GetParam() == Form::columns) {
            columns::Batch batch = batch_of(page);
            problem = filter_.filter(start, batch, options, fold);
            for (std::size_t row = 0; row < batch.rows; ++row) kept += fmt::format("{} ", batch.view().columns[0].value<std::int64_t>(row));
        } else {
            std::string text;
            for (const json::Value& record : page) text += json::to_text(record) + "\n";
            const std::size_t size = text.size();
            text.resize(size + limits::json_padding);
            problem = filter_.filter(start, {.text = text.data(), .size = size, .record_starts = {}}, options, fold);
            for (std::size_t at = text.find("\"id\":"); at < size; at = text.find("\"id\":", at + 1)) {
                kept += fmt::format("{} ", std::atoi(text.c_str() + at + 5));
            }
        }
        if (problem) throw Error(ErrorKind::data, "{}", problem->text);
    }

    /// `last / number of hashes / start`
    std::string state() const {
        if (!slot_) return "none";
        return fmt::format("{} / {} / {}", json::to_text(*slot_->find("last_value")), slot_->find("unique_hashes")->as_array().size(),
                           json::to_text(*slot_->find("start_value")));
    }
    std::string error_of(const std::vector<std::string>& pages) {
        const auto before = slot_;
        try {
            run(pages);
        } catch (const Error& error) {
            slot_ = before;
            return error.what();
        }
        return "no error";
    }

    Spec spec_{.cursor_path = "t"};
    std::vector<std::string> key_ = {"id"};
    std::optional<json::Object> slot_;
    PageFilter filter_;
    int pages_read_ = 0;
};

TEST_P(CursorTest, RecordsAtTheLastValueAreToldApart) {
    EXPECT_EQ(run({"1@1 2@3 3@3"}), "1 2 3");
    EXPECT_EQ(state(), "3 / 2 / null");
    EXPECT_EQ(json::to_text(*slot_->find("unique_hashes")), R"(["Cn/dwi436vBb","Tp44cKMYfAuJ"])");
    EXPECT_EQ(run({"2@3 4@3 5@2"}), "4");
    EXPECT_EQ(state(), "3 / 3 / 3");
    const json::Object before = *slot_;
    EXPECT_EQ(run({"2@3 4@3"}), "");
    EXPECT_TRUE(*slot_ == before);
    EXPECT_EQ(run({"9@7 9@7"}), "9 9") << "records of one run are not told apart";
    EXPECT_EQ(state(), "7 / 1 / 3");
}

TEST_P(CursorTest, WithoutAKeyTheWholeRecordIsHashed) {
    key_.clear();
    run({"1@1 2@3 3@3"});
    EXPECT_EQ(run({"4@4 3@3 2@3 9@3"}), "4 9");
}

TEST_P(CursorTest, OrderDoesNotMatter) {
    EXPECT_EQ(run({"1@5", "2@1", "3@5", "4@9", "5@5"}), "1 2 3 4 5");
    EXPECT_EQ(state(), "9 / 1 / null");
}

TEST_P(CursorTest, BeginsAtTheInitialValue) {
    spec_.initial_value = std::int64_t{10};
    EXPECT_EQ(run({"1@5"}), "");
    EXPECT_EQ(state(), "10 / 0 / 10");
    EXPECT_EQ(run({"1@5 2@10"}), "2");
    EXPECT_EQ(state(), "10 / 1 / 10");
}

TEST_P(CursorTest, RemembersItsInitialValueBeforeTheFirstRecord) {
    spec_.initial_value = std::int64_t{10};
    run(std::vector<std::string>());
    EXPECT_EQ(state(), "10 / 0 / 10");
}

TEST_P(CursorTest, MinGoesDown) {
    spec_.last_value_func = LastValue::min;
    EXPECT_EQ(run({"1@10 2@11 3@9 4@10 5@8 6@22"}), "1 2 3 4 5 6");
    EXPECT_EQ(state(), "8 / 1 / null");
}

/// The greatest value so far and one more, as the reference's example has it.
Value greatest_and_one(const Value& value, const Value* last) {
    return std::max(value.as<std::int64_t>(), last != nullptr ? last->as<std::int64_t>() : INT64_MIN) + 1;
}

TEST_P(CursorTest, AFunctionMakesTheLastValue) {
    spec_.last_value_func = greatest_and_one;
    EXPECT_EQ(run(std::vector<std::string>{"1@9", "2@10"}), "1 2");
    EXPECT_EQ(state(), "11 / 1 / null");
    EXPECT_EQ(run(std::vector<std::string>{"3@9 4@10", "5@11 6@12"}), "3 4 5 6") << "each of them moves it";
    EXPECT_EQ(state(), "15 / 1 / 11");
}

TEST_P(CursorTest, AFunctionThatIsMaxDoesWhatMaxDoes) {
    const std::vector<std::vector<std::string>> runs = {
        {"1@1 2@3", "3@3"}, {"2@3 4@3 5@2"}, {"2@3 4@3"}, {"9@7 9@7", "10@5 11@9 12@1"}, {}, {"1@2"}, {"13@9 11@9", "14@9 13@9"}};
    for (const Range range : {Range::closed, Range::open}) {
        spec_.range_start = range;
        std::vector<std::string> seen[2];
        for (const bool is_own : {false, true}) {
            slot_.reset();
            spec_.last_value_func = LastValue::max;
            if (is_own) spec_.last_value_func = [](const Value& value, const Value* last) { return last != nullptr && compare(*last, value) >= 0 ? *last : value; };
            for (const std::vector<std::string>& pages : runs) {
                seen[is_own].push_back(run(pages));
                seen[is_own].push_back(slot_ ? json::to_text(*slot_) : "none");
            }
        }
        EXPECT_EQ(seen[1], seen[0]);
    }
}

TEST_P(CursorTest, AFunctionSaysWhereARangeEnds) {
    spec_.last_value_func = [](const Value& value, const Value* last) { return last != nullptr && compare(*last, value) >= 0 ? *last : value; };
    spec_.initial_value = std::int64_t{5};
    spec_.end_value = std::int64_t{10};
    EXPECT_EQ(run({"4@4 5@5 6@6 9@9 10@10 11@11"}), "5 6 9");
    EXPECT_EQ(state(), "none");
    spec_.range_start = Range::open;
    spec_.range_end = Range::closed;
    EXPECT_EQ(run({"4@4 5@5 6@6 9@9 10@10 11@11"}), "6 9 10");
    spec_.end_value = std::int64_t{4};
    EXPECT_EQ(error_of({"1@1"}),
              "resource \"r\", cursor \"t\": the end value 4 (integer) does not lie behind the initial value 5 (integer): last_value_func does not return it");
}

TEST_P(CursorTest, AFunctionThatFailsNamesTheResource) {
    spec_.last_value_func = [](const Value&, const Value*) -> Value { throw std::runtime_error("no such thing"); };
    EXPECT_EQ(error_of({"1@9"}), "resource \"r\", cursor \"t\": its last_value_func has failed: no such thing");
}

TEST_P(CursorTest, AFunctionMayNotReturnNaN) {
    spec_.last_value_func = [](const Value&, const Value*) -> Value { return std::nan(""); };
    EXPECT_EQ(error_of({"1@9"}), "resource \"r\", cursor \"t\": its last_value_func has failed: it has returned NaN for 9 (integer), which no value is the same as");
}

TEST_P(CursorTest, AFunctionGoesWithNothingThatMustKnowWhatLiesAhead) {
    spec_.last_value_func = greatest_and_one;
    const auto error_with = [&](const std::function<void(Spec&)>& change) {
        const Spec before = spec_;
        change(spec_);
        const std::string error = error_of({"1@9"});
        spec_ = before;
        return error;
    };
    const std::string text = "resource \"r\", cursor \"t\": its last_value_func is a function of its own, which says of no value that it lies ahead, so it cannot go with {}; leave "
                             "that out, or use max or min";
    EXPECT_EQ(error_with([](Spec& spec) { spec.row_order = RowOrder::asc; }), fmt::format(fmt::runtime(text), "row_order"));
    EXPECT_EQ(error_with([](Spec& spec) { spec.lag = 1; }), fmt::format(fmt::runtime(text), "lag"));
    EXPECT_EQ(error_with([](Spec& spec) { spec.value_type = schema::DataType::bigint; }), fmt::format(fmt::runtime(text), "value_type"));
    EXPECT_EQ(error_with([](Spec& spec) { spec.begins_anew = true; }), fmt::format(fmt::runtime(text), "--since and --until"));
}

TEST_P(CursorTest, AnotherFunctionGoesOnWithWhatIsRemembered) {
    const json::Array rows = records("1@1 2@2 3@3");
    run(std::vector<json::Array>{rows});
    const json::Object of_max = *slot_;
    spec_.last_value_func = LastValue::min;
    EXPECT_EQ(run(std::vector<json::Array>{rows}), "1 2") << "the record at the last value is known";
    EXPECT_EQ(state(), "1 / 1 / 3");
    slot_ = of_max;
    spec_.primary_key.emplace();
    EXPECT_EQ(run(std::vector<json::Array>{rows}), "1 2 3");
    EXPECT_EQ(state(), "1 / 0 / 3");
}

TEST_P(CursorTest, ARangeKeepsNoState) {
    const std::vector<std::string> rows = {"1@1 2@2 4@4 5@5 6@6 9@9 10@10 11@11"};
    spec_.initial_value = std::int64_t{5};
    spec_.end_value = std::int64_t{10};
    slot_ = json::Object{{"last_value", 100}};
    EXPECT_EQ(run(rows), "5 6 9") << "what is remembered does not count";
    EXPECT_EQ(state(), "none");
    spec_.range_end = Range::closed;
    EXPECT_EQ(run(rows), "5 6 9 10");
    spec_.range_start = Range::open;
    EXPECT_EQ(run(rows), "6 9 10");
    spec_.end_value = spec_.initial_value;
    spec_.range_start = Range::closed;
    EXPECT_EQ(run(rows), "5");
    spec_.range_end = Range::open;
    EXPECT_EQ(run(rows), "");
    spec_.initial_value = Value();
    EXPECT_EQ(run(rows), "1 2 4") << "no beginning";
    spec_.initial_value = std::int64_t{6};
    EXPECT_NE(error_of(rows).find("does not lie behind"), std::string::npos);
}

TEST_P(CursorTest, AnOpenStartLeavesOutWhatIsAtIt) {
    spec_.range_start = Range::open;
    EXPECT_EQ(run({"1@5 2@5 3@6"}), "1 2 3");
    EXPECT_EQ(run({"4@6 5@7"}), "5");
    EXPECT_EQ(state(), "7 / 0 / 6");
    spec_.range_start = Range::closed;
    EXPECT_EQ(run({"5@7"}), "5") << "no hash was kept";
    EXPECT_EQ(state(), "7 / 1 / 7");
}

TEST_P(CursorTest, RecordsWithoutACursor) {
    EXPECT_NE(error_of({"1@1 2@-"}).find("it is null"), std::string::npos);
    spec_.on_cursor_value_missing = MissingCursor::exclude;
    EXPECT_EQ(run({"1@1 2@2 3 4@-"}), "1 2");
    slot_.reset();
    spec_.on_cursor_value_missing = MissingCursor::include;
    EXPECT_EQ(run({"1@- 2@1 3@2"}), "1 2 3");
    EXPECT_EQ(run({"4@1 5@- 6@3"}), "5 6");
    EXPECT_EQ(state(), "3 / 1 / 2");
}

TEST_P(CursorTest, ALagReadsAgainWithoutTellingApart) {
    spec_.lag = 100;
    EXPECT_EQ(run({"1@100 2@200 3@300"}), "1 2 3");
    EXPECT_EQ(run({"1@100 2@200 3@300 4@150"}), "2 3");
    EXPECT_EQ(run({"5@250"}), "5");
    EXPECT_EQ(state(), "300 / 0 / 300") << "it does not fall back";
    slot_->set("last_value", 0);
    EXPECT_EQ(run({"6@-5"}), "6");
    EXPECT_EQ(state(), "0 / 0 / 0") << "nor does it from zero";
}

TEST_P(CursorTest, OrderedRecordsEndEarly) {
    spec_.initial_value = std::int64_t{10};
    spec_.row_order = RowOrder::desc;
    EXPECT_EQ(run({"48@48 40@40", "30@30 9@9 12@12", "5@5 44@44"}), "48 40 30 12");
    EXPECT_EQ(pages_read_, 2);
    slot_.reset();
    spec_.row_order = RowOrder::asc;
    spec_.end_value = std::int64_t{20};
    EXPECT_EQ(run({"12@12 19@19", "20@20 13@13", "14@14"}), "12 19 13");
    EXPECT_EQ(pages_read_, 2);
}

// The reference stops at a record it knows, and loses new ones with the same value.
TEST_P(CursorTest, AKnownRecordAtTheStartIsNotTheEnd) {
    spec_.row_order = RowOrder::desc;
    run({"1@10"});
    EXPECT_EQ(run({"3@11 1@10", "2@10", "4@9", "5@10"}), "3 2");
    EXPECT_EQ(pages_read_, 3);
}

TEST_P(CursorTest, IntegersAndNumbersMix) {
    EXPECT_EQ(run({"1@1 2@2.5"}), "1 2");
    EXPECT_EQ(run({"3@2 4@3 2@2.5"}), "4");
    EXPECT_EQ(run({"4@3.0 5@9007199254740993"}), "5");
}

TEST_P(CursorTest, ARecordWithoutItsKey) {
    key_ = {"k"};
    EXPECT_NE(error_of({"1@2"}).find("has no \"k\""), std::string::npos);
    EXPECT_EQ(error_of({"1@2", "2@1"}).find("no error"), std::string::npos);
    spec_.primary_key = std::vector<std::string>();
    EXPECT_EQ(run({"1@2"}), "1") << "nothing is told apart";
    EXPECT_EQ(state(), "2 / 0 / null");
    EXPECT_EQ(run({"1@2"}), "1");
}

TEST_P(CursorTest, ReadsHashesOfOlderVersions) {
    slot_ = json::parse(R"({"initial_value":null,"last_value":3,"unique_hashes":["Tp44cKMYfAuJiBfxLAqu"]})").as_object();
    EXPECT_EQ(run({"2@3 3@3"}), "3");
    EXPECT_EQ(json::to_text(*slot_->find("unique_hashes")), R"(["Cn/dwi436vBbdERZ9hKf","Tp44cKMYfAuJiBfxLAqu"])") << "in their form while the value stays";
    EXPECT_EQ(run({"2@4"}), "2");
    EXPECT_EQ(json::to_text(*slot_->find("unique_hashes")), R"(["Tp44cKMYfAuJ"])");
}

TEST_P(CursorTest, TellsOfManyRecordsAtOneValue) {
    json::Array many;
    for (int id = 0; id <= static_cast<int>(Cursor::many_records); ++id) many.push_back(json::Object{{"id", id}, {"t", 1}});
    Cursor cursor(spec_, "r", key_, nullptr);
    PageFold fold;
    std::string kept;
    filter(cursor, many, fold, kept);
    EXPECT_FALSE(cursor.has_become_coarse());
    cursor.take(fold);
    EXPECT_TRUE(cursor.has_become_coarse());
}

/// `count` records at one value, from this id on.
json::Array crowd(int first, int count, int t = 1) {
    json::Array list;
    for (int id = first; id < first + count; ++id) list.push_back(json::Object{{"id", id}, {"t", t}});
    return list;
}

std::size_t words(const std::string& text) { return text.empty() ? 0 : static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1; }

TEST_P(CursorTest, RemembersACrowdInACompactForm) {
    constexpr int many = static_cast<int>(limits::cursor_hashes_max);
    EXPECT_EQ(words(run({crowd(0, many)})), limits::cursor_hashes_max);
    EXPECT_EQ(slot_->find("unique_hashes")->as_array().size(), limits::cursor_hashes_max) << "as many as have hashes";
    EXPECT_EQ(slot_->find("packed_records"), nullptr);
    EXPECT_EQ(run({crowd(0, many + 2)}), "10000 10001");
    EXPECT_EQ(slot_->find("unique_hashes")->as_array().size(), limits::cursor_hashes_max) << "nothing but the hashes is known of those that have one";
    EXPECT_EQ(slot_->find("packed_records")->as_object().find("count")->as_int(), 2);
    EXPECT_EQ(run({crowd(0, many + 2)}), "");
    EXPECT_EQ(run({crowd(0, many + 1), crowd(many + 1, 2)}), "10002");
    EXPECT_EQ(run({"7@2"}), "7");
    EXPECT_EQ(state(), "2 / 1 / 1") << "the crowd is behind";
    EXPECT_EQ(slot_->find("packed_records"), nullptr);

    EXPECT_EQ(words(run({crowd(0, many, 3), crowd(many, many, 3)})), 2 * limits::cursor_hashes_max);
    EXPECT_EQ(state(), "3 / 0 / 2");
    EXPECT_EQ(slot_->find("packed_records")->as_object().find("kind")->as_text(), "integers");
    const json::Object before = *slot_;
    EXPECT_EQ(run({crowd(0, 2 * many, 3)}), "");
    EXPECT_EQ(*slot_, before) << "nothing has changed";
    EXPECT_EQ(run({crowd(0, 2 * many + 1, 3)}), "20000");

    key_ = {};
    slot_.reset();
    EXPECT_EQ(words(run({crowd(0, many + 1)})), limits::cursor_hashes_max + 1);
    EXPECT_EQ(slot_->find("packed_records")->as_object().find("kind")->as_text(), "digests") << "whole records";
    EXPECT_EQ(run({crowd(0, many + 2)}), "10001");
}

TEST_P(CursorTest, ACrowdOfOneRecordIsNone) {
    json::Array same;
    for (std::size_t i = 0; i < 2 * limits::cursor_hashes_max; ++i) same.push_back(json::Object{{"id", 1}, {"t", 1}});
    run({same});
    EXPECT_EQ(state(), "1 / 1 / null");
    EXPECT_EQ(slot_->find("packed_records"), nullptr);
}

TEST_P(CursorTest, ForgetsACrowdThatOthersHaveLeftBehind) {
    constexpr int many = static_cast<int>(limits::cursor_hashes_max) + 1;
    run({crowd(0, many)});
    slot_->set("last_value", 2);
    slot_->set("unique_hashes", json::Array{"Tp44cKMYfAuJ"});
    EXPECT_EQ(run({"1@2 2@2"}), "1") << "whoever moved the cursor on knows nothing of packed records";
    EXPECT_EQ(slot_->find("packed_records"), nullptr);

    slot_.reset();
    run({crowd(0, many)});
    slot_->find("packed_records")->as_object().set("v", 2);
    EXPECT_NE(error_of({"1@1"}).find("a newer tipple wrote it"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Forms, CursorTest, testing::Values(Form::json, Form::values, Form::columns),
                         testing::PrintToStringParamName());

class RecordCursorTest : public CursorTest {};

TEST_P(RecordCursorTest, PathsLeadIntoRecords) {
    spec_.cursor_path = "d.items[0].at";
    EXPECT_EQ(run({json::parse(R"([{"id":1,"d":{"items":[{"at":2},{"at":9}]}}])").as_array()}), "1");
    EXPECT_EQ(run({json::parse(R"([{"id":1,"d":{"items":[{"at":2}]}},{"id":2,"d":{"items":[{"at":3},{"at":1}]}}])").as_array()}), "2");
    EXPECT_EQ(state(), "3 / 1 / 2");
    spec_.cursor_path = "d[*].t";
    slot_.reset();
    run({json::parse(R"([{"id":1,"d":[{"t":3},{"t":9}]}])").as_array()});
    EXPECT_EQ(state(), "3 / 1 / null") << "the first match counts";
}

TEST_P(RecordCursorTest, QuotedPathsAreOneName) {
    spec_.cursor_path = "\"a.b\"";
    run({json::parse(R"([{"id":1,"a.b":4}])").as_array()});
    EXPECT_EQ(state(), "4 / 1 / null");
}

TEST_P(RecordCursorTest, TextComparesByCodePoint) {
    EXPECT_EQ(run({json::parse(R"([{"id":1,"t":"9"},{"id":2,"t":"10"}])").as_array()}), "1 2");
    EXPECT_EQ(run({json::parse(R"([{"id":3,"t":"11"},{"id":4,"t":"95"}])").as_array()}), "4");
    EXPECT_EQ(state(), R"("95" / 1 / "9")");
}

TEST_P(RecordCursorTest, ClashesNameResourceCursorAndTypes) {
    run({"1@1"});
    std::string message = error_of({"2@\"x\""});
    for (const char* part : {"\"r\"", "\"t\"", "\"x\" (text)", "1 (integer)"}) EXPECT_NE(message.find(part), std::string::npos) << message;
    slot_.reset();
    message = error_of({"1@1", "2@\"x\""});
    EXPECT_NE(message.find("\"x\" (text) cannot be compared with the earlier value 1 (integer)"), std::string::npos) << message;
    EXPECT_NE(error_of({"1@1 2@\"x\""}).find("cannot be compared"), std::string::npos);
    EXPECT_NE(error_of({"1@[1]"}).find("a list cannot be a cursor's value"), std::string::npos);
    EXPECT_NE(error_of({"1"}).find("it is not there"), std::string::npos);
}

TEST_P(RecordCursorTest, KeysAreHashedAsTheReferenceDoes) {
    key_ = {"a", "b"};
    run({json::parse(R"([{"a":1,"b":"x","t":3,"id":0}])").as_array()});
    EXPECT_EQ(json::to_text(*slot_->find("unique_hashes")), R"(["T2u7rnGEfmXm"])");
    slot_.reset();
    key_.clear();
    run({json::Array{json::parse(R"({"t":10,"id":1})")}});
    EXPECT_EQ(json::to_text(*slot_->find("unique_hashes")), R"(["64BPHZk1mfw9"])");
    slot_.reset();
    key_ = {"id"};
    spec_.has_key_list = true;
    run({"1@3"});
    EXPECT_EQ(slot_->find("unique_hashes")->as_array().front().as_text(), hash_of(json::Array{1}, HashForm::current));
}

INSTANTIATE_TEST_SUITE_P(Forms, RecordCursorTest, testing::Values(Form::json, Form::values),
                         testing::PrintToStringParamName());

// ---- times ----

Value at(const char* text) { return from_state(json::Value(std::string("\uf027") + text)); }

class TimeCursorTest : public testing::Test {
protected:
    std::size_t run(std::vector<Value> values) {
        std::vector<Value> list;
        for (Value& value : values) list.push_back(schema::Object{{"id", std::int64_t{1}}, {"t", std::move(value)}});
        Cursor cursor(spec_, "r", {}, slot_ ? &*slot_ : nullptr);
        PageFold fold;
        const std::optional<RecordProblem> problem = PageFilter().filter(cursor.start(), list, {}, fold);
        if (problem) throw Error(ErrorKind::data, "{}", problem->text);
        cursor.take(fold);
        slot_ = cursor.slot();
        return list.size();
    }
    Value member(const char* name) const { return from_state(*slot_->find(name)); }

    Spec spec_{.cursor_path = "t"};
    std::optional<json::Object> slot_;
};

TEST_F(TimeCursorTest, InstantsCompareWhateverTheirZone) {
    spec_.initial_value = at("2024-01-01T12:00:00+00:00");
    EXPECT_EQ(run({at("2024-01-01T00:00:00+00:00"), at("2024-01-02T00:00:00+00:00")}), 1U);
    EXPECT_EQ(run({at("2024-01-02T00:00:00+00:00"), at("2024-01-02T02:00:00+01:00")}), 1U);
    EXPECT_EQ(slot_->find("last_value")->as_text(), "\uf0272024-01-02T02:00:00+01:00");
}

TEST_F(TimeCursorTest, TheCursorFollowsTheRecordsIntoAndOutOfZones) {
    spec_.initial_value = at("2024-01-01T00:00:00+00:00");
    EXPECT_EQ(run({at("2024-01-01T12:00:00")}), 1U);
    EXPECT_EQ(slot_->find("last_value")->as_text(), "\uf0272024-01-01T12:00:00");
    EXPECT_EQ(run({at("2024-01-01T13:00:00+02:00"), at("2024-01-01T12:00:00+00:00"), at("2024-01-01T15:00:00+02:00")}), 1U)
        << "12:00 is the one that was read: hashes know no zones";
    EXPECT_EQ(slot_->find("last_value")->as_text(), "\uf0272024-01-01T15:00:00+02:00");
    EXPECT_EQ(slot_->find("start_value")->as_text(), "\uf0272024-01-01T12:00:00");
    EXPECT_THROW(run({at("2024-01-03T00:00:00"), at("2024-01-03T00:00:00+00:00")}), Error);
}

TEST_F(TimeCursorTest, DatesAndTimestampsDoNotMix) {
    run({schema::Date{100}});
    EXPECT_EQ(slot_->find("last_value")->as_text(), "\uf0281970-04-11");
    EXPECT_THROW(run({at("2024-01-03T00:00:00")}), Error);
}

TEST_F(TimeCursorTest, ANumberThatIsNoneIsReadAndForgotten) {
    EXPECT_EQ(run({1.0, std::nan(""), 0.5}), 3U);
    EXPECT_EQ(member("last_value").as<double>(), 1.0);
}

// ---- pages of JSON ----

TEST(PageFilterJson, LeavesOffsetsLinesAndWhatIsNoJson) {
    const Cursor cursor({.cursor_path = "t", .initial_value = std::int64_t{5}}, "r", {"id"}, nullptr);
    std::string text = "{\"id\":1,\"t\":1} {\"id\":2,\n \"t\":7}\n{\"t\":2}\n{\"t\": [}\n{\"t\":3}\nnull\n{\"id\":3,\"\\u0074\":9}\n";
    const std::size_t size = text.size();
    text.resize(size + limits::json_padding);
    PageFold fold;
    EXPECT_FALSE(PageFilter().filter(cursor.start(), {.text = text.data(), .size = size, .record_starts = {}}, {}, fold));
    EXPECT_EQ(text.substr(0, size), "               {\"id\":2,\n \"t\":7}\n       \n{\"t\": [}\n       \nnull\n{\"id\":3,\"\\u0074\":9}\n");
    EXPECT_EQ(fold.records, 7U);
    EXPECT_EQ(fold.kept, 4U);
    EXPECT_EQ(fold.last.as<std::int64_t>(), 9);
    EXPECT_EQ(fold.place_of(0), 1U);
    EXPECT_EQ(fold.place_of(1), 3U);
    EXPECT_EQ(fold.place_of(2), 5U);
}

TEST(PageFilterJson, ARecordHasOneDigestWhateverStandsBeforeIt) {
    const Cursor cursor({.cursor_path = "t"}, "r", {}, nullptr);
    const auto digests_of = [&](std::string text) {
        const std::size_t size = text.size();
        text.resize(size + limits::json_padding);
        PageFold fold;
        EXPECT_FALSE(PageFilter().filter(cursor.start(), {.text = text.data(), .size = size, .record_starts = {}}, {}, fold));
        EXPECT_EQ(fold.last.as<std::int64_t>(), 1);
        return fold.records_at_last;
    };
    const std::vector<std::string> records = {R"({"t":1,"id":1})", R"({"id":2,"t":1})", R"({"\u0074":1,"\"":"a\\"})", R"({"t":0,"t":1,"text":"of more than sixteen characters"})",
                                              R"({"x":{"t":5,"y":[1,{}]},"t":1})", R"({"t":1,"x":[tru]})", R"({"t":1})", R"({"t":1,"n":1.50})"};
    std::string page = "{\"t\":0}\n{\"t\":0}\n";
    RecordSet alone;
    for (const std::string& record : records) {
        page += record + "\n";
        alone.add(digests_of(record + "\n"));
    }
    RecordSet together = digests_of(page + "{\"t\":0}\n");
    EXPECT_EQ(together.size(), records.size());
    EXPECT_EQ(json::to_text(together.pack()), json::to_text(alone.pack()));
}

TEST(PageFilterJson, CountsOnlyWhatIsWanted) {
    const Cursor cursor({.cursor_path = "t"}, "r", {"id"}, nullptr);
    std::string text = "{\"id\":1,\"t\":1}\n{\"id\":2,\"t\":7}\n{\"id\":3,\"t\":\"x\"}\n";
    const std::size_t size = text.size();
    text.resize(size + limits::json_padding);
    PageFold fold;
    EXPECT_TRUE(PageFilter().filter(cursor.start(), {.text = text.data(), .size = size, .record_starts = {}}, {}, fold));
    EXPECT_FALSE(PageFilter().filter(cursor.start(), {.text = text.data(), .size = size, .record_starts = {}}, {.kept_max = 1}, fold));
    EXPECT_EQ(fold.last.as<std::int64_t>(), 1);
}

}  // namespace
}  // namespace tipple::incremental
