#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tipple/sources/sql/part_reader.h"

namespace tipple::sources::sql {
namespace {

constexpr int batches_of_part = 50;

/// Its statement is the number that its rows begin with. Each batch is one record.
class NumberDatabase final : public Database {
public:
    explicit NumberDatabase(std::atomic<int>& handed_over) : handed_over_(handed_over) {}

    std::string description() const override { return "numbers"; }
    std::string default_schema() const override { return {}; }
    std::vector<TableName> tables(const std::string&, std::stop_token) override { return {}; }
    TableInfo reflect(const TableName&, std::stop_token) override { return {}; }
    std::vector<DeclaredColumn> describe(const std::string&, std::stop_token) override { return {}; }
    std::string quote(std::string_view name) const override { return std::string(name); }
    std::string literal(const schema::Value&, const DeclaredColumn&) const override { return {}; }
    void begin_snapshot(std::stop_token) override {}
    std::unique_ptr<Database> another(std::stop_token) override { return nullptr; }
    CursorBound bound(const CursorQuery&, std::stop_token) override { return {}; }
    std::vector<std::string> split(const TableInfo&, const std::string&, std::size_t, std::stop_token) override { return {""}; }
    void read(const Select& select, std::size_t, std::size_t, std::stop_token, const std::function<bool(Rows)>& take) override {
        const int first = std::stoi(select.sql);
        for (int i = 0; i < batches_of_part && take(std::vector<schema::Value>{std::int64_t{first + i}}); ++i) ++handed_over_;
    }

private:
    std::atomic<int>& handed_over_;
};

extract::ResourceContext with_threads() {
    extract::ResourceContext context;
    context.run_together = [](std::vector<extract::Task> tasks) {
        std::vector<std::jthread> threads;
        for (const extract::Task& task : tasks) threads.emplace_back([&task] { task({}); });
    };
    return context;
}

TEST(SqlPartReader, WhoeverReadsWaitsForWhoTakes) {
    constexpr int parts = 4;
    constexpr int waiting_max = 3;
    std::atomic<int> handed_over = 0;
    NumberDatabase one(handed_over);
    NumberDatabase two(handed_over);
    PartsJob job{.parts = {}, .batch_rows = 1, .batch_bytes = 1, .waiting_bytes_max = waiting_max * byte_size(std::vector<schema::Value>(1))};
    for (int part = 0; part < parts; ++part) job.parts.push_back({.sql = std::to_string(part * batches_of_part), .columns = {}});
    int taken = 0;
    int waiting = 0;
    read_parts(job, {&one, &two}, with_threads(), [&](const Rows& rows) {
        EXPECT_EQ(std::get<std::vector<schema::Value>>(rows).at(0).as<std::int64_t>(), taken);
        ++taken;
        // Time to read on for whoever does not wait.
        if (taken % batches_of_part == 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        waiting = std::max(waiting, handed_over - taken);
        return true;
    });
    EXPECT_EQ(taken, parts * batches_of_part);
    EXPECT_LE(waiting, waiting_max + 1) << "the one that is wanted next may always come";
}

}  // namespace
}  // namespace tipple::sources::sql
