#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "tipple/api/pipeline.h"
#include "tipple/core/text.h"

/// What the tests of this folder share.
namespace tipple {

class ApiTest : public testing::Test {
protected:
    PipelineOptions options(std::string name = "test") {
        return {.name = name, .destination = folder_.path(name + ".duckdb"), .dataset = "data", .data_folder = folder_.path("state"), .workers = 2};
    }
    LoadInfo run(const Source& source, const RunOptions& run_options = {}) { return Pipeline(options()).run(source, run_options); }
    /// A source of one resource.
    static Source one(Resource resource) { return source("shop").add(std::move(resource)); }

    /// `1 a | 2 NULL` for rows of a query over tables of the dataset.
    std::string rows(const std::string& sql) {
        Pipeline pipeline(options());
        const destination::QueryResult result = pipeline.query(sql);
        std::vector<std::string> lines;
        for (const destination::QueryRow& row : result.rows) {
            std::vector<std::string> cells;
            for (const auto& cell : row) cells.push_back(cell.value_or("NULL"));
            lines.push_back(join(cells, " "));
        }
        return join(lines, " | ");
    }
    /// The error that `action` must end with.
    static std::string error_of(ErrorKind kind, const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_EQ(to_text(error.kind()), std::string(to_text(kind))) << error.what();
            return error.what();
        }
        ADD_FAILURE() << "no error";
        return {};
    }
    static bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

    support::TemporaryFolder folder_;
};

}  // namespace tipple
