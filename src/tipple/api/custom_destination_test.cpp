#include "tipple/api/custom_destination.h"

#include <stdexcept>

#include "tipple/api/api_fixture.h"

namespace tipple {

namespace {

class CustomDestinationTest : public ApiTest {
protected:
    /// Every batch as `load table number: rows`.
    void take(const RowBatch& batch) {
        std::string line = fmt::format("{} {}:", batch.table.name(), batch.number);
        for (const Record& record : batch.rows) line += fmt::format(" {}", record.get<std::int64_t>("n").value_or(-1));
        taken_.push_back(line);
        load_ids_.push_back(batch.load_id);
        if (taken_.size() == fails_at_) throw std::runtime_error("warehouse is closed");
    }
    LoadInfo load(const Source& source, CustomDestinationOptions custom = {.batch_rows = 2}) {
        PipelineOptions own = options();
        own.destination = custom_destination("warehouse", [this](const RowBatch& batch) { take(batch); }, custom);
        return Pipeline(own).run(source);
    }
    static Source numbers(int from, int to) {
        auto all = resource("numbers", [from, to](Output& out, ResourceContext&) {
            for (int n = from; n <= to; ++n) out.write({{"n", n}, {"deep", Object{{"list", List{Value(1)}}}}});
        });
        all.incremental("n");
        return one(all);
    }

    std::vector<std::string> taken_;
    std::vector<std::string> load_ids_;
    std::size_t fails_at_ = 0;
};

TEST_F(CustomDestinationTest, RowsComeInBatches) {
    load(numbers(1, 3));
    EXPECT_EQ(join(taken_, " | "), "numbers 0: 1 2 | numbers 1: 3");
}

TEST_F(CustomDestinationTest, StatesAreRemembered) {
    load(numbers(1, 3));
    taken_.clear();
    const LoadInfo second = load(numbers(1, 4));
    EXPECT_EQ(join(taken_, " | "), "numbers 0: 4");
    EXPECT_EQ(second.tables.at(0).new_columns.size(), 0);
}

TEST_F(CustomDestinationTest, ALoadIsNotTakenForThatOfAnotherPipeline) {
    const std::string load_id = load(numbers(1, 3)).load_ids.at(0);
    destination::DestinationContext context;
    context.dataset = "data";
    context.data_folder = folder_.path("state/pipelines");
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    context.files = files.get();
    const auto destination = custom_destination("warehouse", [](const RowBatch&) {}).make(context);
    EXPECT_TRUE(destination->has_load({.load_id = load_id}));
    EXPECT_TRUE(destination->has_load({.load_id = load_id, .schema_name = "shop", .pipeline = "test"}));
    EXPECT_FALSE(destination->has_load({.load_id = load_id, .schema_name = "shop", .pipeline = "other"}));
    EXPECT_FALSE(destination->has_load({.load_id = load_id, .schema_name = "other", .pipeline = "test"}));
    EXPECT_FALSE(destination->has_load({.load_id = load_id, .schema_name = "shop", .schema_hash = "x", .pipeline = "test"}));
}

TEST_F(CustomDestinationTest, RowsOfAFailedLoadComeAgainAsTheyWere) {
    fails_at_ = 2;
    const std::string error = error_of(ErrorKind::remote, [&] { load(numbers(1, 3)); });
    EXPECT_TRUE(contains(error, "destination \"warehouse\", table \"numbers\", batch 1: warehouse is closed")) << error;
    fails_at_ = 0;
    load(numbers(1, 3));
    EXPECT_EQ(join(taken_, " | "), "numbers 0: 1 2 | numbers 1: 3 | numbers 0: 1 2 | numbers 1: 3");
    EXPECT_EQ(load_ids_.at(0), load_ids_.at(2));
}

TEST_F(CustomDestinationTest, NestedTablesAndSystemColumnsComeWhenWanted) {
    load(numbers(1, 1), {.max_nesting = 5, .has_system_columns = true});
    EXPECT_EQ(join(taken_, " | "), "numbers 0: 1 | numbers__deep__list 0: -1");
}

TEST_F(CustomDestinationTest, ThereIsNothingToBeAsked) {
    PipelineOptions own = options();
    own.destination = custom_destination("warehouse", [](const RowBatch&) {});
    Pipeline pipeline(own);
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, [&] { pipeline.query("SELECT 1"); }), "there is nothing to be asked"));
}

}  // namespace
}  // namespace tipple
