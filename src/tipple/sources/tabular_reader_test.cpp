#include "tipple/sources/tabular_reader.h"

#include <fstream>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "tipple/core/error.h"

namespace tipple::sources {
namespace {

class Batches final : public extract::Output {
public:
    void write(extract::Page page) override {
        columns::Batch& batch = std::get<extract::ColumnPage>(page).batch;
        rows += batch.rows;
        names = batch.names;
        types.clear();
        for (const columns::ColumnBuilder& column : batch.columns)
            types.push_back(column.type().type);
    }
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart() override {
        rows = 0;
        ++restarts;
    }
    void skip(const extract::SkippedText& text) override { skipped.push_back(text); }
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void report(const extract::ReadProgress&) override {}
    bool wants_more() const override { return true; }

    std::uint64_t rows = 0;
    int restarts = 0;
    std::vector<std::string> names;
    std::vector<schema::DataType> types;
    std::vector<extract::SkippedText> skipped;
};

class TabularReaderTest : public testing::Test {
protected:
    /// Numbers for longer than types are guessed from, and one line that is something else.
    std::string numbers_and(const std::string& header, const std::string& last_line) {
        std::ofstream file(folder_.path("x.csv"), std::ios::binary);
        file << header << "\n";
        for (int i = 0; i < 30'000; ++i) file << i << "," << i << "\n";
        file << last_line << "\n";
        return folder_.path("x.csv");
    }
    void read(const std::string& path) {
        TabularReader(context_, batches_).read_csv(path, "x.csv", DataFormat::csv, {});
    }

    support::TemporaryFolder folder_;
    extract::ResourceContext context_{.memory_bytes = std::size_t{256} << 20};
    Batches batches_;
};

TEST_F(TabularReaderTest, AColumnThatWasGuessedWrongBecomesText) {
    // The engine names columns in its messages without escaping their quotes.
    for (const char* header : {"id,v", "id,\"v\"\"w\"", "id,v. w"}) {
        batches_ = {};
        read(numbers_and(header, "30000,late"));
        EXPECT_EQ(batches_.restarts, 1) << header;
        EXPECT_EQ(batches_.rows, 30'001U) << header;
        EXPECT_EQ(batches_.types,
                  (std::vector<schema::DataType>{schema::DataType::bigint, schema::DataType::text}))
            << header;
    }
}

TEST_F(TabularReaderTest, BothColumnsCanBeGuessedWrong) {
    read(numbers_and("id,v", "one,two"));
    EXPECT_EQ(batches_.restarts, 1) << "one more reading for both";
    EXPECT_EQ(batches_.rows, 30'001U);
    EXPECT_EQ(batches_.types, (std::vector<schema::DataType>{schema::DataType::text, schema::DataType::text}));
}

TEST_F(TabularReaderTest, ALineWithTooManyFieldsIsAnErrorOrLeftOut) {
    const std::string path = numbers_and("id,v", "1,2,3");
    try {
        read(path);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(to_text(error.kind()), std::string("data"));
        EXPECT_TRUE(std::string(error.what()).find("Line: 30002") != std::string::npos)
            << error.what();
    }
    batches_ = {};
    context_.skips_bad_records = true;
    read(path);
    EXPECT_EQ(batches_.rows, 30'000U);
    ASSERT_EQ(batches_.skipped.size(), 1U);
    EXPECT_EQ(batches_.skipped[0].origin.line, 30'002U);
    EXPECT_EQ(batches_.skipped[0].text, "1,2,3");
}

}  // namespace
}  // namespace tipple::sources
