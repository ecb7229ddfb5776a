#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tipple/core/error.h"
#include "tipple/sources/sql/part_reader.h"

/// Parts that several connections read come in their order, whoever is first.
namespace tipple::sources::sql {
namespace {

constexpr std::size_t batches_per_part = 5;

/// Each part is a statement that is its number; a part gives some batches of one row. Odd connections are slow to let others get ahead.
class NumbersDatabase final : public Database {
public:
    explicit NumbersDatabase(bool is_slow) : is_slow_(is_slow) {}
    std::string description() const override { return "numbers"; }
    std::string default_schema() const override { return {}; }
    std::vector<TableName> tables(std::stop_token) override { return {}; }
    TableInfo reflect(const TableName&, std::stop_token) override { return {}; }
    std::vector<DeclaredColumn> describe(const std::string&, std::stop_token) override { return {}; }
    std::string quote(std::string_view name) const override { return std::string(name); }
    std::string bound_literal(const schema::Value&, const DeclaredColumn&, BoundSide) const override { return {}; }
    void begin_snapshot(std::stop_token) override {}
    std::unique_ptr<Database> another(std::stop_token) override { return nullptr; }
    CursorBound bound(const CursorQuery&, std::stop_token) override { return {}; }
    std::vector<std::string> split(const TableInfo&, const std::string&, std::size_t, std::stop_token) override { return {""}; }
    void read(const Select& select, std::size_t, std::size_t, std::stop_token, const std::function<bool(Rows)>& take) override {
        if (select.sql == "fail") throw Error(ErrorKind::remote, "the server went away");
        for (std::size_t i = 0; i < batches_per_part; ++i) {
            if (is_slow_) std::this_thread::yield();
            columns::Batch batch{.rows = 1};
            batch.names.push_back("n");
            batch.columns.emplace_back(columns::ColumnType{.type = schema::DataType::bigint});
            batch.columns.back().append_int64(std::stoll(select.sql) * static_cast<std::int64_t>(batches_per_part) + static_cast<std::int64_t>(i));
            ++handed_;
            if (!take(std::move(batch))) return;
        }
    }
    std::size_t handed() const { return handed_; }

private:
    bool is_slow_;
    std::atomic<std::size_t> handed_{0};
};

/// As the pipeline does it.
void run_together(std::vector<extract::Task> tasks) {
    std::stop_source group;
    std::exception_ptr error;
    std::mutex mutex;
    const auto run = [&](const extract::Task& task) {
        try {
            task(group.get_token());
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (error == nullptr) error = std::current_exception();
            group.request_stop();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < tasks.size(); ++i) threads.emplace_back([&, i] { run(tasks[i]); });
        run(tasks.front());
    }
    if (error != nullptr) std::rethrow_exception(error);
}

class SqlParts : public testing::Test {
protected:
    SqlParts() {
        for (std::size_t i = 0; i < 4; ++i) databases_.push_back(std::make_unique<NumbersDatabase>(i % 2 == 1));
        for (int part = 0; part < 40; ++part) job_.parts.push_back({.sql = std::to_string(part), .columns = {}});
        job_.waiting_bytes_max = 64;
    }

    std::vector<std::int64_t> read(std::size_t most = SIZE_MAX, const std::function<void(std::size_t taken)>& look = {}) {
        std::vector<Database*> connections;
        for (const auto& database : databases_) connections.push_back(database.get());
        std::vector<std::int64_t> numbers;
        const extract::ResourceContext context{.run_together = run_together};
        read_parts(job_, connections, context, [&](Rows rows) {
            numbers.push_back(std::get<columns::Batch>(rows).columns.front().view().value<std::int64_t>(0));
            if (look) look(numbers.size());
            return numbers.size() < most;
        });
        return numbers;
    }

    std::size_t handed() const {
        std::size_t handed = 0;
        for (const auto& database : databases_) handed += database->handed();
        return handed;
    }

    std::vector<std::unique_ptr<NumbersDatabase>> databases_;
    PartsJob job_;
};

TEST_F(SqlParts, ComeInTheirOrder) {
    const std::vector<std::int64_t> numbers = read();
    ASSERT_EQ(numbers.size(), 40 * batches_per_part);
    for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], static_cast<std::int64_t>(i));
}

TEST_F(SqlParts, NobodyReadsFarAheadOrBehindTheEnd) {
    EXPECT_EQ(read(3), (std::vector<std::int64_t>{0, 1, 2}));
    EXPECT_LT(handed(), 40 * batches_per_part);
}

TEST_F(SqlParts, EachWaitsForWhoTakes) {
    job_.waiting_bytes_max = 0;
    std::size_t ahead = 0;
    const auto numbers = read(SIZE_MAX, [&](std::size_t taken) {
        // Time to read on for whoever does not wait.
        if (taken <= batches_per_part) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        ahead = std::max(ahead, handed() - taken);
    });
    EXPECT_EQ(numbers.size(), 40 * batches_per_part);
    EXPECT_LE(ahead, 1 + databases_.size()) << "what is wanted next, and what each connection has in its hands";
}

TEST_F(SqlParts, OneThatFailsEndsAll) {
    job_.parts[7].sql = "fail";
    try {
        read();
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "the server went away");
    }
}

}  // namespace
}  // namespace tipple::sources::sql
