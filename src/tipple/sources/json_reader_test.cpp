#include "tipple/sources/json_reader.h"

#include <vector>

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"

namespace tipple::sources {
namespace {

/// Content in memory that comes in pieces.
class Content final : public io::ReadFile {
public:
    Content(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
    std::size_t read(char* out, std::size_t length) override {
        const std::size_t got = std::min({length, piece_, text_.size() - at_});
        text_.copy(out, got, at_);
        at_ += got;
        return got;
    }
    void read_at(std::uint64_t, char*, std::size_t) override { FAIL(); }
    std::uint64_t size() const override { return text_.size(); }
    const std::string& path() const override { return name_; }

private:
    std::string text_;
    std::size_t piece_;
    std::size_t at_ = 0;
    std::string name_ = "x.json";
};

class Pages final : public extract::Output {
public:
    void write(extract::Page page) override {
        pages.push_back(std::move(std::get<extract::JsonPage>(page)));
    }
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override {}
    void skip(const extract::SkippedText&) override {}
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void report(const extract::ReadProgress&) override {}
    bool wants_more() const override { return pages.size() < pages_max; }

    /// `place:text` of each page, what is blank around it left out.
    std::vector<std::string> shown() const {
        std::vector<std::string> out;
        for (const extract::JsonPage& page : pages) {
            std::string text(reinterpret_cast<const char*>(page.text.data()), page.size);
            text.erase(0, text.find_first_not_of(" \n"));
            text.erase(text.find_last_not_of(" \n") + 1);
            out.push_back(fmt::format("{}/{}/{} {}", page.origin.byte_offset, page.origin.line,
                                      page.origin.record, text));
        }
        return out;
    }

    std::vector<extract::JsonPage> pages;
    std::size_t pages_max = SIZE_MAX;
};

struct Reading {
    DataFormat format = DataFormat::json_lines;
    std::size_t page_bytes = 10;
    std::size_t record_bytes_max = 1'000;
    std::string select = {};
    std::size_t piece = SIZE_MAX;
    std::size_t pages_max = SIZE_MAX;
};

Pages read(std::string text, const Reading& reading) {
    const auto input = io::open_input(std::make_unique<Content>(std::move(text), reading.piece));
    Head head = read_head(*input);
    std::optional<json::Path> select;
    if (!reading.select.empty()) select = json::Path::parse(reading.select);
    Pages pages;
    pages.pages_max = reading.pages_max;
    const extract::ResourceContext context{.page_bytes = reading.page_bytes,
                                          .record_bytes_max = reading.record_bytes_max};
    JsonReader(*input, std::move(head), reading.format, select, "x.json").read(context, pages, [] {
    });
    return pages;
}

using Texts = std::vector<std::string>;

TEST(JsonReader, CutsLinesAndKnowsTheirPlaces) {
    EXPECT_EQ(read("{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}", {.page_bytes = 17}).shown(),
              (Texts{"0/1/0 {\"a\":1}\n{\"a\":2}", "17/4/3 {\"a\":3}"}));
    // A page grows until it holds a whole record.
    EXPECT_EQ(
        read("{\"long\":12345678901234567890}\n{}\n{\"b\":123456789}", {.page_bytes = 5}).shown(),
        (Texts{"0/1/0 {\"long\":12345678901234567890}\n{}", "33/3/2 {\"b\":123456789}"}));
    EXPECT_TRUE(read("", {}).pages.empty());
}

TEST(JsonReader, PagesDoNotDependOnHowMuchAReadReturns) {
    std::string lines;
    std::string list = "[";
    for (int i = 0; i < 3'000; ++i) {
        lines += fmt::format("{{\"n\": {}}}\n", i * i);
        list += fmt::format("{}{{\"n\": {}}}", i == 0 ? "" : " , ", i * i);
    }
    list += "]";
    for (const auto& [text, format] :
         {std::pair(lines, DataFormat::json_lines), std::pair(list, DataFormat::json)}) {
        const Texts expected = read(text, {.format = format, .page_bytes = 100}).shown();
        EXPECT_GT(expected.size(), 300U);
        for (const std::size_t piece :
             {std::size_t{1}, std::size_t{7}, std::size_t{101}, std::size_t{4'096}}) {
            EXPECT_EQ(read(text, {.format = format, .page_bytes = 100, .piece = piece}).shown(),
                      expected)
                << piece;
        }
    }
}

TEST(JsonReader, TakesListsApart) {
    EXPECT_EQ(read("[{\"a\":1},{\"a\":2},{\"a\":3}]", {.format = DataFormat::json, .page_bytes = 9})
                  .shown(),
              (Texts{"0/0/0 {\"a\":1}", "8/0/1 {\"a\":2}", "16/0/2 {\"a\":3}"}));
    EXPECT_EQ(read("{\"a\":1}{\"a\":2}", {.format = DataFormat::json, .page_bytes = 100})
                  .pages.at(0)
                  .record_starts,
              (std::vector<std::size_t>{0, 7}));
    EXPECT_TRUE(read("[]", {.format = DataFormat::json}).pages.empty());
}

TEST(JsonReader, SelectsWhatIsInsideOfADocument) {
    const std::string text = "{\"next\": \"" + std::string(500, 'x') +
                             "\", \"data\": [{\"a\":1}, {\"a\":2}], \"count\": 2}";
    Texts records;
    for (const std::string& page :
         read(text, {.format = DataFormat::json, .select = "data"}).shown())
        records.push_back(page.substr(page.find('{')));
    EXPECT_EQ(records, (Texts{"{\"a\":1}", "{\"a\":2}"}));
}

TEST(JsonReader, EveryPageHasRoomBehindIt) {
    for (const extract::JsonPage& page : read("{\"a\":1}\n{\"a\":2}\n", {}).pages) {
        ASSERT_EQ(page.text.size(), page.size + limits::json_padding);
        EXPECT_EQ(page.text.data()[page.size], ' ');
    }
}

TEST(JsonReader, ARecordHasALimit) {
    for (const DataFormat format : {DataFormat::json_lines, DataFormat::json}) {
        try {
            read("{\"a\":1}\n{\"a\":\"" + std::string(2'000, 'x') + "\"}\n{\"a\":2}\n",
                 {.format = format});
            FAIL();
        } catch (const Error& error) {
            EXPECT_TRUE(
                std::string(error.what()).starts_with("x.json: the record that starts at byte "))
                << error.what();
            EXPECT_TRUE(std::string(error.what()).find("is larger than 1.0 kB") !=
                        std::string::npos)
                << error.what();
            EXPECT_TRUE(std::string(error.what()).find("--memory") != std::string::npos)
                << error.what();
        }
    }
}

TEST(JsonReader, AByteOrderMarkIsNoContentButHasAPlace) {
    EXPECT_EQ(read("\xEF\xBB\xBF{\"a\":1}\n", {}).shown(), Texts{"3/1/0 {\"a\":1}"});
    EXPECT_TRUE(read("\xEF\xBB\xBF", {}).pages.empty());
}

TEST(JsonReader, EndsWhenNoMoreIsWanted) {
    EXPECT_EQ(read("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", {.pages_max = 2}).pages.size(), 2U);
}

TEST(JsonReader, BrokenStructureIsAnErrorWithItsPlace) {
    for (const char* text : {"[{\"a\":1}", "[{\"a\":1}}", "[1,,2]", "]"}) {
        try {
            read(text, {.format = DataFormat::json});
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(to_text(error.kind()), std::string("data"));
            EXPECT_TRUE(std::string(error.what()).starts_with("x.json: ")) << error.what();
            EXPECT_TRUE(std::string(error.what()).find("byte") != std::string::npos)
                << error.what();
        }
    }
}

}  // namespace
}  // namespace tipple::sources
