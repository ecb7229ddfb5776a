// A worker gets pages of all parts of the input, each with the schema as it is by then: what it saw
// before must not show.
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/nasty_corpus.h"
#include "tipple/columns/value_at.h"
#include "tipple/normalize/columnar.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/normalize/shredder.h"
#include "tipple/schema/coerce.h"

namespace tipple::pipeline {
namespace {

using Snapshot = std::shared_ptr<const schema::Schema>;

class WorkerHistoryTest : public testing::TestWithParam<std::uint64_t> {
protected:
    WorkerHistoryTest() {
        schema::Schema start = schema::Schema::make("test");
        schema::Table table("t");
        table.set_property("write_disposition", "append");
        start.set_table(table);
        rules_ = {.naming = schema::NamingConvention::make("snake_case"),
                  .inference = std::make_shared<const schema::Inference>(start, 0),
                  .breaks_paths = true,
                  .load_id = "1.0",
                  .row_id_prefix = "prefix.."};
        writer_ = std::make_unique<normalize::SchemaWriter>(start);
    }

    void shred(normalize::Shredder& shredder, std::size_t page, const Snapshot& snapshot) {
        std::string text = pages_[page] + std::string(limits::json_padding, ' ');
        shredder.shred(
            {.text = {text.data(), pages_[page].size()}, .record_starts = {}, .number = page}, "t",
            snapshot, result_);
    }

    /// Everything that counts of the last page.
    std::string described() const {
        std::string out;
        for (const normalize::TableRows& rows : result_.tables) {
            std::map<std::string, std::string> columns;
            for (std::size_t i = 0; i < rows.columns.size(); ++i) {
                std::string& values = columns[std::string(rows.names[i])];
                for (std::size_t row = 0; row < rows.rows; ++row) {
                    const schema::Value value = columns::value_at(rows.columns[i], row);
                    values +=
                        value.is_null()
                            ? "NULL|"
                            : schema::coerce(schema::DataType::text, value)->as<std::string>() +
                                  "|";
                }
                // A column of nulls only may be left over from other pages; it says nothing.
                if (rows.columns[i].null_count == rows.rows)
                    columns.erase(std::string(rows.names[i]));
            }
            out += std::string(rows.table) + "\n";
            for (const auto& [name, values] : columns)
                out += fmt::format("  {}: {}\n", name, values);
        }
        for (const normalize::TableProposal& proposal : result_.proposals) {
            out += fmt::format("{} < {} +", proposal.table, proposal.parent);
            for (const schema::Column& column : proposal.columns)
                out += " " + column.name() + json::to_text(json::Value(column.hints()));
            out += "\n";
        }
        for (const normalize::BadRecord& bad : result_.bad_records)
            out += fmt::format("bad {} {} {} {}\n", bad.offset, bad.table, bad.column, bad.reason);
        return out;
    }

    normalize::Rules rules_;
    std::unique_ptr<normalize::SchemaWriter> writer_;
    std::vector<std::string> pages_;
    normalize::PageResult result_;
};

TEST_P(WorkerHistoryTest, DoesNotShow) {
    for (const std::string& record : NastyCorpus(GetParam()).records(600)) {
        if (pages_.empty() || pages_.back().size() > 150) pages_.emplace_back();
        pages_.back() += record + "\n";
    }
    // The schema before each page, as one worker would find it.
    std::vector<Snapshot> snapshots;
    normalize::Shredder in_order(rules_);
    for (std::size_t page = 0; page < pages_.size(); ++page) {
        snapshots.push_back(writer_->snapshot());
        shred(in_order, page, snapshots.back());
        ASSERT_EQ(writer_->admit(result_.proposals), normalize::SchemaWriter::Admission::admitted);
    }
    // Some worker: leaves pages to others, is behind with the schema, and does some pages twice.
    std::mt19937_64 random(GetParam());
    normalize::Shredder worker(rules_);
    for (std::size_t page = 0; page < pages_.size(); page += random() % 4) {
        const std::size_t lag = random() % 3 == 0 ? 0 : random() % 12;
        const Snapshot& snapshot = snapshots[page - std::min(page, lag)];
        shred(worker, page, snapshot);
        const std::string got = described();
        normalize::Shredder fresh(rules_);
        shred(fresh, page, snapshot);
        ASSERT_EQ(got, described()) << "page " << page << ", " << lag << " pages behind:\n"
                                    << pages_[page];
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, WorkerHistoryTest,
                         testing::Range(std::uint64_t{1}, std::uint64_t{21}));

}  // namespace
}  // namespace tipple::pipeline
