// The example of CONTRIBUTING.md, run as the pipeline runs a source.
#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/source/source.h"

namespace tipple::sources {

extract::SourceEntry count_source();

namespace {

class Pages final : public extract::Output {
public:
    void write(extract::Page page) override {
        ++pages;
        for (schema::Value& record : std::get<extract::ValuePage>(page).records) records.push_back(std::move(record));
    }
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override {}
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void skip(const extract::SkippedText&) override {}
    void report(const extract::ReadProgress&) override {}
    bool wants_more() const override { return records.size() < limit; }

    std::size_t limit = SIZE_MAX;
    std::size_t pages = 0;
    std::vector<schema::Value> records;
};

Pages read(const std::string& last, std::size_t limit) {
    extract::Registry registry;
    registry.add(count_source());
    extract::SourceContext context;
    context.options.set("last", last);
    const auto driver = registry.make("count", context);
    Pages pages;
    pages.limit = limit;
    driver->read(driver->resources({}).at(0), {}, pages);
    return pages;
}

TEST(CountExample, PushesPages) {
    const Pages pages = read("2500", SIZE_MAX);
    EXPECT_EQ(pages.pages, 3);
    ASSERT_EQ(pages.records.size(), 2500);
    const auto& last = pages.records.back().as<schema::Object>();
    EXPECT_EQ(last.at(1).name, "square");
    EXPECT_EQ(last.at(1).value.as<std::int64_t>(), 6'250'000);
}

TEST(CountExample, EndsWhenNoMoreIsWanted) { EXPECT_EQ(read("2500", 1).pages, 1); }

TEST(CountExample, OptionsAreChecked) {
    EXPECT_THROW(read("many", SIZE_MAX), Error);
    EXPECT_THROW(extract::Registry().make("count", {}), Error);
}

}  // namespace
}  // namespace tipple::sources
