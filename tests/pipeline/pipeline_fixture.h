#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/recording_destination.h"
#include "support/scripted_source.h"
#include "support/temporary_folder.h"
#include "tipple/pipeline/pipeline.h"

/// What the tests of this folder share.
namespace tipple::pipeline {

using support::FailPoint;
using support::RecordingDestination;
using support::ScriptedSource;
using Calls = std::vector<std::string>;

class RecordingObserver final : public Observer {
public:
    void on_step_started(Step step) override {
        events.push_back(std::string(to_text(step)) + " started");
    }
    void on_step_finished(Step step, const Progress& progress) override {
        events.push_back(fmt::format("{} finished {}", to_text(step), progress.rows));
    }
    void on_pending_package(const std::string& load_id) override { pending.push_back(load_id); }
    void on_retry(const std::string& message, double) override {
        retries.push_back(message);
        if (stop_on_retry != nullptr) stop_on_retry->request_stop();
    }

    std::vector<std::string> events;
    std::vector<std::string> pending;
    std::vector<std::string> retries;
    std::stop_source* stop_on_retry = nullptr;
};

class PipelineTest : public testing::Test {
protected:
    RunReport run(extract::SourceDriver& source, const RunOptions& options = {}) {
        observer_ = {};
        return Pipeline(config_, destination_, *files_, clock_, Log())
            .run(source, options, observer_, {});
    }
    RunReport run_lines(const std::string& text, const RunOptions& options = {}) {
        ScriptedSource source;
        source.lines("t", text);
        return run(source, options);
    }

    /// The error that the run has to end with.
    std::string error_of(ErrorKind kind, extract::SourceDriver& source,
                         const RunOptions& options = {}, std::stop_token stop = {}) {
        observer_ = {};
        return error_from(kind, [&] {
            Pipeline(config_, destination_, *files_, clock_, Log())
                .run(source, options, observer_, stop);
        });
    }
    template <typename Action>
    static std::string error_from(ErrorKind kind, Action action) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_EQ(to_text(error.kind()), std::string(to_text(kind))) << error.what();
            return error.what();
        }
        ADD_FAILURE() << "no error";
        return {};
    }
    static bool contains(const std::string& text, std::string_view part) {
        return text.find(part) != std::string::npos;
    }
    static bool starts(const std::string& call, std::string_view name) {
        return call.starts_with(name);
    }

    std::string folder() { return pipeline_folder(config_, destination_); }
    std::vector<std::string> pending() {
        return package::PackageStore(*files_, folder()).pending_ids();
    }
    std::vector<package::Package> finished() {
        return package::PackageStore(*files_, folder()).finished();
    }

    /// How many of the calls since the last look begin with this.
    std::size_t count(const Calls& calls, std::string_view name) {
        return static_cast<std::size_t>(
            std::count_if(calls.begin(), calls.end(),
                          [&](const std::string& call) { return call.starts_with(name); }));
    }
    /// Values of a column, in order.
    std::string values(const std::string& table, const std::string& column) {
        std::string out;
        for (const json::Value& row : destination_.rows(table)) {
            const json::Value* value = row.as_object().find(column);
            out += (out.empty() ? "" : " ") +
                   (value != nullptr ? json::to_text(*value) : std::string("-"));
        }
        return out;
    }

    support::TemporaryFolder temporary_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    SystemClock clock_;
    RecordingDestination destination_{*files_};
    RecordingObserver observer_;
    PipelineConfig config_{.name = "shop",
                           .data_folder = temporary_.path("data"),
                           .tool_version = "test",
                           .workers = 2};
};

}  // namespace tipple::pipeline
