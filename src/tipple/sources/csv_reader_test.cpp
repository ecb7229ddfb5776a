#include "tipple/sources/csv/reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <filesystem>
#include <map>
#include <random>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "tipple/columns/value_at.h"
#include "tipple/core/error.h"
#include "tipple/schema/coerce.h"
#include "tipple/sources/content_reader.h"

namespace tipple::sources::csv {
namespace {

/// A file in memory.
class TextInput final : public io::InputStream {
public:
    enum class Size { known, unknown };
    TextInput(std::string name, std::string text, Size size = Size::known) : name_(std::move(name)), text_(std::move(text)), size_(size) {}
    std::size_t read(char* out, std::size_t length) override {
        const std::size_t take = std::min(length, text_.size() - at_);
        std::memcpy(out, text_.data() + at_, take);
        at_ += take;
        return take;
    }
    std::uint64_t bytes_read() const override { return at_; }
    std::uint64_t file_size() const override { return size_ == Size::known ? text_.size() : 0; }
    io::CompressedFormat format() const override { return io::CompressedFormat::none; }
    const std::string& name() const override { return name_; }

private:
    std::string name_;
    std::string text_;
    Size size_;
    std::size_t at_ = 0;
};

/// Keeps rows as `name=value` of what is not null.
class Rows final : public extract::Output {
public:
    void write(extract::Page page) override {
        const auto& columns = std::get<extract::ColumnPage>(page);
        for (std::size_t row = 0; row < columns.batch.rows; ++row) {
            std::string text;
            for (std::size_t i = 0; i < columns.batch.columns.size(); ++i) {
                const schema::Value value = columns::value_at(columns.batch.columns[i].view(), row);
                types[columns.batch.names[i]] = columns.batch.columns[i].type().type;
                if (value.is_null()) continue;
                text += fmt::format("{}{}={}", text.empty() ? "" : " ", columns.batch.names[i], schema::coerce(schema::DataType::text, value)->as<std::string>());
            }
            rows.push_back(std::move(text));
        }
    }
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override {
        rows.resize(rows_before_);
        ++restarts;
    }
    void skip(const extract::SkippedText& text) override { skipped.push_back(fmt::format("{}:{} {}", text.origin.name, text.origin.line, text.text)); }
    void materialize() override {}
    void begin_input(const extract::InputFile&) override { rows_before_ = rows.size(); }
    void report(const extract::ReadProgress&) override {}
    bool wants_more() const override { return true; }

    int restarts = 0;
    std::vector<std::string> rows;
    std::vector<std::string> skipped;
    std::map<std::string, schema::DataType> types;

private:
    std::size_t rows_before_ = 0;
};

using Files = std::vector<std::pair<std::string, std::string>>;
using Lines = std::vector<std::string>;

struct Reading {
    Options options;
    extract::ResourceContext context = {};
    std::shared_ptr<const extract::OriginColumns> origin_columns = nullptr;
    /// So much of each file says what all are like.
    std::size_t look_bytes = std::size_t{64} << 10;

    /// All files as one resource, as the files source reads them.
    Rows read(const Files& files) const {
        Rows out;
        read_into(out, files);
        return out;
    }
    void read_into(Rows& out, const Files& files) const {
        Reader reader(options, context, out);
        std::vector<Beginning> beginnings;
        for (const auto& [name, text] : files) beginnings.push_back({.text = text.substr(0, look_bytes), .is_all = text.size() <= look_bytes});
        reader.look_at(beginnings, std::nullopt);
        for (const auto& [name, text] : files) {
            out.begin_input({.path = name});
            const Input input{.name = name, .format_delimiter = {}, .open = [&] { return std::make_unique<TextInput>(name, text); }, .origin_columns = origin_columns};
            reader.read(input, [](const io::InputStream&) {});
        }
    }
    Rows read(const std::string& text) const { return read(Files{{"x.csv", text}}); }
    std::string error(const std::string& text) const {
        try {
            read(text);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
};

std::shared_ptr<const extract::OriginColumns> lines() {
    auto columns = std::make_shared<extract::OriginColumns>();
    columns->place = "line";
    return columns;
}

TEST(CsvReader, QuotesLineEndsAndEmptyLines) {
    const Reading run{.origin_columns = lines()};
    EXPECT_EQ(run.read("a,b\r\n1,\"x,\"\"y\"\"\r\nz\"\r\n\r\n2,\r\n3,last").rows, (Lines{"a=1 b=x,\"y\"\r\nz line=2", "a=2 line=5", "a=3 b=last line=6"}));
    EXPECT_EQ(run.read("a,b\r1,x\r\r2,y\r").rows, (Lines{"a=1 b=x line=2", "a=2 b=y line=4"}));
    EXPECT_EQ(run.read("\n\na,b\n 1 , \"x\" \n").rows, (Lines{"a=1 b=x line=4"})) << "spaces around quotes";
    EXPECT_EQ(run.read("a,b\n1,5\" pipe\n").rows, (Lines{"a=1 b=5\" pipe line=2"})) << "a quote within a field";
}

/// Whatever the page's size is.
void expect_the_same_in_all_pages(Reading run, const std::string& text, const Lines& rows, const Lines& skipped) {
    for (std::size_t bytes = 1; bytes < text.size() + 2; ++bytes) {
        run.context.page_bytes = bytes;
        const Rows read = run.read(text);
        EXPECT_EQ(read.rows, rows) << bytes;
        EXPECT_EQ(read.skipped, skipped) << bytes;
    }
}

TEST(CsvReader, AFileIsTheSameHoweverItsPagesAreCut) {
    const std::string text = "id,text,n\n1,\"a\"\"b\n\nc\",1\r\n2,'x,\r\n\n3,\"\",3\n4,\"tail \" ,4\n5,é,5\n";
    Reading run{.origin_columns = lines()};
    run.context.skips_bad_records = true;
    const Rows whole = run.read(text);
    EXPECT_EQ(whole.rows.size(), 5U);
    expect_the_same_in_all_pages(run, text, whole.rows, whole.skipped);
}

TEST(CsvReader, ACommentIsOneHoweverItsPagesAreCut) {
    Reading run{.origin_columns = lines()};
    run.options.comment = '#';
    run.context.skips_bad_records = true;
    const Lines rows = {"id=1 text=a line=4", "id=2 text=b\n#none line=6", "id=3 text=c line=9"};
    const std::string text = "#of, two\nid,text\r\n#7,seven\n1,a\r#8,eight\r\n2,\"b\n#none\"\n#9,nine\n3,c\n";
    expect_the_same_in_all_pages(run, text, rows, {});
    expect_the_same_in_all_pages(run, text + "#10,ten", rows, {});
    expect_the_same_in_all_pages(run, text + "4,\"open", rows, {"x.csv:10 4,\"open"});
}

TEST(CsvReader, DialectsAreFound) {
    const auto rows = [](const std::string& text) { return Reading().read(text).rows; };
    const Lines expected = {"id=1 text=a", "id=2 text=b"};
    for (const char* text : {"id;text\n1;a\n2;b\n", "id|text\n1|a\n2|b\n", "id\ttext\n1\ta\n2\tb\n"}) EXPECT_EQ(rows(text), expected) << text;
    EXPECT_EQ(rows("id;amount\n1;1,5\n2;2,5\n"), (Lines{"id=1 amount=1,5", "id=2 amount=2,5"})) << "a comma in numbers";
    EXPECT_EQ(rows("id,text\n1,\"a\\\"b,c\"\n2,\"x\"\n"), (Lines{"id=1 text=a\"b,c", "id=2 text=x"})) << "a backslash before quotes";
    EXPECT_EQ(rows("id,text\n1,'a,b'\n2,'c'\n"), (Lines{"id=1 text=a,b", "id=2 text=c"})) << "single quotes";
    EXPECT_EQ(rows("text\nhello, world\nagain\n"), (Lines{"text=hello, world", "text=again"})) << "one column";
}

TEST(CsvReader, AFileWithAnotherDelimiterIsDividedByItsOwn) {
    const Rows rows = Reading().read({{"1.csv", "a,b\n1,2\n"}, {"2.csv", "a,b\n3,4\n"}, {"3.csv", "a;b\n5;6\n"}});
    EXPECT_EQ(rows.rows, (Lines{"a=1 b=2", "a=3 b=4", "a=5 b=6"}));
}

TEST(CsvReader, OptionsSayWhatIsNotFound) {
    config::Options given;
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"csv_delimiter", "||"}, {"csv_quote", "'"}, {"csv_escape", "\\"}, {"csv_comment", "#"}, {"csv_skip_lines", "2"}, {"csv_null", "\nNULL\n\\N"}, {"csv_types", "{\"amount\":\"decimal(6,2)\",\"zip\":\"text\"}"}}) {
        given.set(name, value);
    }
    Reading run{.options = parse_options(given), .origin_columns = lines()};
    const Rows rows = run.read("made by x\non Monday\n# names\nid||amount||zip||text\n1||1.50||10||'a||\\'b'\n#2||x\n3||NULL||20||\\N\n");
    EXPECT_EQ(rows.rows, (Lines{"id=1 amount=1.50 zip=10 text=a||'b line=5", "id=3 zip=20 line=7"}));
    EXPECT_EQ(rows.types.at("amount"), schema::DataType::decimal);
    EXPECT_EQ(rows.types.at("zip"), schema::DataType::text);
}

TEST(CsvReader, WrongOptionsAreRefused) {
    const auto error = [](const std::string& name, const std::string& value) {
        config::Options given;
        given.set(name, value);
        given.set("csv_delimiter", ";");
        try {
            parse_options(given);
        } catch (const Error& refused) {
            return std::string(refused.what());
        }
        return std::string();
    };
    EXPECT_NE(error("csv_quote", "ab").find("one ASCII character"), std::string::npos);
    EXPECT_NE(error("csv_quote", ";").find("cannot be part of the delimiter"), std::string::npos);
    EXPECT_NE(error("csv_types", "amount:decimel").find("amount"), std::string::npos);
    EXPECT_NE(error("csv_types", "amount").find("NAME:TYPE"), std::string::npos);
    EXPECT_NE(error("csv_types", "{\"x\": 1}").find("a text such as"), std::string::npos);
    EXPECT_NE(error("csv_types", "x:json").find("a text is not read as"), std::string::npos);
}

TEST(CsvReader, HeadersAreMatchedByName) {
    const Rows rows = Reading().read({{"1.csv", "id,name\n1,a\n"}, {"2.csv", "name,age,id\nb,7,2\n"}, {"3.csv", ""}, {"4.csv", "id,name\n"}, {"5.csv", "id\n3\n"}});
    EXPECT_EQ(rows.rows, (Lines{"id=1 name=a", "name=b age=7 id=2", "id=3"}));
}

TEST(CsvReader, NamesThatLackOrComeTwice) {
    EXPECT_EQ(Reading().read("a,,A, \"b \"\n1,2,3,4\n").rows, (Lines{"a=1 column1=2 A_1=3 b=4"}));
    Reading run;
    run.options.has_header = false;
    EXPECT_EQ(run.read("1,x\n2,y\n").rows, (Lines{"column0=1 column1=x", "column0=2 column1=y"}));
}

TEST(CsvReader, TypesHoldTheValuesOfAllFilesThatWereLookedAt) {
    const Rows rows = Reading().read({{"1.csv", "n,d\n1,2024-01-02\n"}, {"2.csv", "n,d\n1.5,\n"}});
    EXPECT_EQ(rows.types.at("n"), schema::DataType::double_);
    EXPECT_EQ(rows.types.at("d"), schema::DataType::date);
}

/// Numbers for longer than types are guessed from, and one line that is something else.
std::string numbers_and(const std::string& header, const std::string& last_line, int count = 30'000) {
    std::string text = header + "\n";
    for (int i = 0; i < count; ++i) text += fmt::format("{},{}\n", i, i);
    return text + last_line + "\n";
}

TEST(CsvReader, AColumnThatWasGuessedWrongBecomesTextInItsFileOnly) {
    const Rows rows = Reading().read({{"1.csv", "id,v\n7,7\n"}, {"2.csv", numbers_and("id,v", "30000,late")}});
    ASSERT_EQ(rows.rows.size(), 30'002U);
    EXPECT_EQ(rows.rows.front(), "id=7 v=7");
    EXPECT_EQ(rows.rows.back(), "id=30000 v=late");
    EXPECT_EQ(rows.types.at("v"), schema::DataType::text);
    EXPECT_EQ(rows.types.at("id"), schema::DataType::bigint);
}

TEST(CsvReader, AllColumnsThatWereGuessedWrongCostOneMoreReading) {
    const Rows rows = Reading().read(numbers_and("id,v", "one,0.5") + "x,y\n");
    EXPECT_EQ(rows.restarts, 1);
    EXPECT_EQ(rows.rows.size(), 30'002U);
    EXPECT_EQ(rows.types.at("id"), schema::DataType::text);
    EXPECT_EQ(rows.types.at("v"), schema::DataType::text);
}

TEST(CsvReader, LinesThatAreNoRecordsEndItOrAreLeftOut) {
    const std::string text = "id,v\n1,a\n2,b,c\n3\n4,\"x\"y\n5,e\n";
    Reading run;
    EXPECT_NE(run.error(text).find("x.csv:3 (byte 9): the line has 3 fields, and the header 2\n  record: 2,b,c"), std::string::npos) << run.error(text);
    run.context.skips_bad_records = true;
    const Rows rows = run.read(text);
    EXPECT_EQ(rows.rows, (Lines{"id=1 v=a", "id=5 v=e"}));
    EXPECT_EQ(rows.skipped, (Lines{"x.csv:3 2,b,c", "x.csv:4 3", "x.csv:5 4,\"x\"y"}));
}

TEST(CsvReader, AQuoteThatNeverEndsCostsItsLineOnly) {
    Reading run;
    EXPECT_NE(run.error("id,v\n1,\"a\n2,b\n").find("x.csv:2 (byte 5): a quote is opened and never closed"), std::string::npos);
    run.context.skips_bad_records = true;
    run.context.record_bytes_max = 64;
    run.context.page_bytes = 16;
    std::string text = "id,v\n1,\"a\n";
    for (int i = 2; i < 100; ++i) text += fmt::format("{},b\n", i);
    const Rows rows = run.read(text);
    EXPECT_EQ(rows.rows.size(), 98U);
    EXPECT_EQ(rows.skipped, (Lines{"x.csv:2 1,\"a"}));
}

TEST(CsvReader, ARecordLargerThanARecordMayBeIsAnError) {
    Reading run;
    run.context.record_bytes_max = 1'000;
    run.context.page_bytes = 100;
    EXPECT_NE(run.error("id,v\n1," + std::string(2'000, 'x') + "\n").find("the record that starts at byte 5 is larger than"), std::string::npos);
    EXPECT_EQ(run.read("id,v\n1," + std::string(900, 'x') + "\n").rows.size(), 1U);
}

TEST(CsvReader, ADeclaredTypeIsHeld) {
    Reading run;
    run.options.types = {{"v", {.kind = Kind::decimal, .precision = 4, .scale = 1}}};
    const std::string text = "id,v\n1,1.5\n2,abc\n3,1.25\n4,\n";
    EXPECT_NE(run.error(text).find("x.csv:3 (byte 11): column \"v\": \"abc\" is no decimal"), std::string::npos) << run.error(text);
    run.context.skips_bad_records = true;
    const Rows rows = run.read(text);
    EXPECT_EQ(rows.rows, (Lines{"id=1 v=1.5", "id=4"}));
    EXPECT_EQ(rows.skipped, (Lines{"x.csv:3 2,abc", "x.csv:4 3,1.25"}));
}

TEST(CsvReader, WhatIsNoUtf8IsABadRecord) {
    Reading run;
    EXPECT_NE(run.error("id,v\n1,a\n2,\xff\n").find("x.csv:3 (byte 9): the text is not valid UTF-8"), std::string::npos);
    EXPECT_NE(run.error("id,\xff\n1,a\n").find("the name of column 2 is not valid UTF-8"), std::string::npos);
    run.context.skips_bad_records = true;
    EXPECT_EQ(run.read("id,v\n1,a\n2,\xff\n").rows, (Lines{"id=1 v=a"}));
}

TEST(CsvReader, AColumnWithoutValuesIsNotMadeBeforeItHasOne) {
    std::string text = "id,v\n";
    for (int i = 0; i < 40'000; ++i) text += fmt::format("{},\n", i);
    const Rows empty = Reading().read(text);
    EXPECT_FALSE(empty.types.contains("v"));
    const Rows late = Reading().read(text + "40000,5\n");
    EXPECT_EQ(late.types.at("v"), schema::DataType::bigint);
    EXPECT_EQ(late.rows.back(), "id=40000 v=5");
}

/// What a reading came to, with its error.
struct Outcome {
    Lines rows;
    Lines skipped;
    std::map<std::string, schema::DataType> types;
    int restarts = 0;
    std::string error;
    bool operator==(const Outcome&) const = default;
};

/// As a run does it.
void run_on_threads(std::vector<extract::Task> tasks) {
    std::stop_source stop;
    std::exception_ptr error;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < tasks.size(); ++i) threads.emplace_back([&, i] { tasks[i](stop.get_token()); });
        try {
            tasks.front()(stop.get_token());
        } catch (...) {
            error = std::current_exception();
        }
    }
    if (error != nullptr) std::rethrow_exception(error);
}

/// `together`: how many times several threads were asked for.
Outcome read_with(Reading run, const std::string& text, std::size_t threads, int& together) {
    run.context.threads = threads;
    run.context.memory_bytes = std::size_t{256} << 20;
    run.context.run_together = [&](std::vector<extract::Task> tasks) {
        EXPECT_EQ(tasks.size(), std::min<std::size_t>(threads, 3));
        ++together;
        run_on_threads(std::move(tasks));
    };
    Rows out;
    std::string error;
    try {
        run.read_into(out, {{"x.csv", text}});
    } catch (const Error& refused) {
        error = refused.what();
    }
    return {.rows = std::move(out.rows), .skipped = std::move(out.skipped), .types = std::move(out.types), .restarts = out.restarts, .error = std::move(error)};
}

/// Records of all sorts: quoted line breaks, escapes, columns that get their values late or change their type, lines that are none.
std::string any_text(std::mt19937& random) {
    const auto one_of = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
    const int rows = 1'000 + one_of(2'000);
    const int late = one_of(2 * rows);
    const int misfit = one_of(2 * rows);
    const int after = 1 + one_of(30);
    const int bad_every = one_of(3) == 0 ? 20 + one_of(200) : 0;
    std::string text = "id,text,late,v\n";
    for (int i = 0; i < rows; ++i) {
        if (bad_every != 0 && i % bad_every == bad_every - 1) text += (std::array{"x\n", "1,2,3,4,5\n", "1,\"a\"b,2,3\n", "1,\xff,2,3\n", "1,a,,declared\n"})[static_cast<std::size_t>(one_of(5))];
        const std::string quoted = one_of(4) == 0 ? fmt::format("\"line\nof \"\"{}\"\"\r\n, too\"", i) : fmt::format("t{}", i);
        // What fits a whole number and not the wider type that the page before has asked for.
        const std::string id = i == misfit ? (one_of(3) == 0 ? "none" : "0.5") : i == misfit + after ? "9007199254740993" : std::to_string(i);
        text += fmt::format("{},{},{},{}\n", id, quoted, i < late ? "" : std::to_string(i), one_of(5) == 0 ? "" : fmt::format("{}.5", i));
    }
    return one_of(10) == 0 ? text + "7,\"open,1,1\n8,a,1,1\n" : text;
}

TEST(CsvReader, SeveralThreadsReadWhatOneReads) {
    std::mt19937 random(7);
    int together = 0;
    std::map<std::string, int> seen;
    for (int round = 0; round < 60; ++round) {
        const std::string text = any_text(random);
        Reading run{.origin_columns = lines()};
        run.look_bytes = 500;
        run.options.types = {{"v", {.kind = Kind::decimal, .precision = 8, .scale = 1}}};
        run.context.page_bytes = 64 + random() % 400;
        run.context.record_bytes_max = 4'000;
        run.context.skips_bad_records = round % 3 != 0;
        int alone = 0;
        const Outcome expected = read_with(run, text, 1, alone);
        EXPECT_EQ(alone, 0);
        for (const std::size_t threads : {2, 3, 8}) EXPECT_EQ(read_with(run, text, threads, together), expected) << "round " << round << ", " << threads << " threads\n" << expected.error;
        seen["restarted"] += expected.restarts;
        seen["skipped"] += static_cast<int>(expected.skipped.size());
        seen["failed"] += expected.error.empty() ? 0 : 1;
    }
    EXPECT_GT(together, 60);
    for (const char* what : {"restarted", "skipped", "failed"}) EXPECT_GT(seen[what], 3) << what;
}

/// The pages that wait for their turn are what a record too large comes behind.
TEST(CsvReader, WhatIsWrongFurtherOnWaitsForWhatComesBefore) {
    Reading run;
    run.context.page_bytes = 100;
    run.context.record_bytes_max = 1'000;
    std::string text = "id,v\n";
    for (int i = 0; i < 200; ++i) text += fmt::format("{},a\n", i);
    int together = 0;
    const Outcome outcome = read_with(run, text + "200," + std::string(5'000, 'x') + "\n", 4, together);
    EXPECT_EQ(together, 1);
    EXPECT_EQ(outcome.rows.size(), 200U);
    EXPECT_NE(outcome.error.find("the record that starts at byte"), std::string::npos) << outcome.error;
    EXPECT_NE(read_with(run, text + "1,2,3\n" + std::string(5'000, 'x') + "\n", 4, together).error.find("x.csv:202"), std::string::npos);
}

/// As a web server may send it.
TEST(CsvReader, AContentWithoutASizeIsReadAgainAsItIsByThen) {
    const support::TemporaryFolder folder;
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    const ContentOptions options;
    const extract::ResourceContext context{.temp_folder = folder.path()};
    Rows out;
    ContentReader reader(*files, options, context, out);
    const auto read = [&](const std::string& name, const std::string& text, bool is_repeatable = true) {
        reader.read({.name = name, .origin = {}, .path = {}, .open = [&] { return std::make_unique<TextInput>(name, text, TextInput::Size::unknown); }, .is_repeatable = is_repeatable},
                    [](const io::InputStream&) {});
        return std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator());
    };
    EXPECT_EQ(read("a.csv", "id\n1\n"), 0) << "what was read needs no place any more";
    read("a.csv", "id\n2\n");
    read("b.csv", "id\n3\n");
    EXPECT_EQ(out.rows, (Lines{"id=1", "id=2", "id=3"}));
    EXPECT_EQ(read("pipe.csv", "id\n4\n", false), 1);
    EXPECT_EQ(read("pipe.csv", "", false), 1) << "a pipe has given all it had";
    EXPECT_EQ(out.rows, (Lines{"id=1", "id=2", "id=3", "id=4", "id=4"}));
}

}  // namespace
}  // namespace tipple::sources::csv
