#include "tipple/pipeline/state.h"

#include <gtest/gtest.h>

#include "tipple/destination/system_tables.h"

namespace tipple::pipeline {
namespace {

const PipelineConfig config{.name = "shop", .dataset = "main"};

PipelineState next(const std::optional<destination::StoredState>& stored, json::Object sources = {},
                   const PipelineConfig& with = config) {
    return next_state(stored, with, {"shop"}, "tests.memory", std::move(sources));
}

destination::StoredState stored_as(const PipelineState& state) {
    return {.version = state.document.find("_state_version")->as_int(),
            .version_hash = state.document.find("_version_hash")->as_text(),
            .load_id = "1.0",
            .document = state.document};
}

TEST(PipelineState, BeginsWithVersionOne) {
    const PipelineState state = next(std::nullopt);
    EXPECT_TRUE(state.is_changed);
    EXPECT_EQ(state.document.find("_state_version")->as_int(), 1);
    EXPECT_EQ(state.document.find("_state_engine_version")->as_int(),
              destination::state_engine_version);
    EXPECT_EQ(state.document.find("_version_hash")->as_text(),
              destination::state_hash(state.document));
    EXPECT_EQ(state.document.find("dataset_name")->as_text(), "main");
    EXPECT_EQ(state.document.find("destination_type")->as_text(), "tests.memory");
}

TEST(PipelineState, StaysWhenNothingChanges) {
    const PipelineState first = next(std::nullopt, {{"shop", json::Object{{"cursor", 1}}}});
    const destination::StoredState stored = stored_as(first);
    const PipelineState second = next(stored, sources_of(stored));
    EXPECT_FALSE(second.is_changed);
    EXPECT_TRUE(second.document == first.document);
    const PipelineState third = next(stored, {{"shop", json::Object{{"cursor", 2}}}});
    EXPECT_TRUE(third.is_changed);
    EXPECT_EQ(third.document.find("_state_version")->as_int(), 2);
}

TEST(PipelineState, KeepsWhatOthersWroteThere) {
    destination::StoredState stored = stored_as(next(std::nullopt));
    stored.document.as_object().set("theirs", json::Array{1, 2});
    stored.document.as_object().set("schema_names", json::Array{"zoo", "alpha"});
    const PipelineState state = next(stored);
    EXPECT_EQ(json::to_text(*state.document.find("theirs")), "[1,2]");
    EXPECT_EQ(json::to_text(*state.document.find("schema_names")), R"(["alpha","shop","zoo"])");
}

TEST(PipelineState, ReadsSourcesOfWhateverIsStored) {
    EXPECT_TRUE(sources_of(std::nullopt).empty());
    for (const char* document :
         {"null", "[]", "{}", R"({"sources": null})", R"({"sources": [1]})"}) {
        EXPECT_TRUE(sources_of(destination::StoredState{.document = json::parse(document)}).empty())
            << document;
    }
    EXPECT_EQ(
        sources_of(destination::StoredState{.document = json::parse(R"({"sources": {"a": {}}})")})
            .size(),
        1U);
}

}  // namespace
}  // namespace tipple::pipeline
