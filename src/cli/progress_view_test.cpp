#include "cli/progress_view.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tipple/json/value.h"

namespace tipple::cli {
namespace {

using pipeline::Progress;
using pipeline::Step;

constexpr Terminal ascii{.width = 80};

/// A clock that the test sets.
class SetClock final : public Clock {
public:
    std::int64_t now_us() const override { return time_us; }
    std::int64_t steady_ns() const override { return time_us * 1'000; }
    std::int64_t time_us = 1'700'000'000'000'000;
};

Progress half() {
    return {.step = Step::extract,
            .resource = "events",
            .records = 10,
            .rows = 2'000,
            .bytes_read = 50'000'000,
            .bytes_total = 100'000'000,
            .rows_total = {},
            .seconds = 2};
}

TEST(Bar, ShowsHowFarAndHowLong) {
    EXPECT_EQ(format_bar(half(), ascii), "extract  events  ==========----------  50%  50.0 MB  2,000 rows  25.0 MB/s  ETA 2.00 s");
}

TEST(Bar, SaysNothingAboutTheEndWhenItIsNotKnown) {
    Progress progress = half();
    progress.bytes_total = std::nullopt;
    EXPECT_EQ(format_bar(progress, ascii), "extract  events  50.0 MB  2,000 rows  25.0 MB/s");
    // The first moments tell nothing yet.
    progress = half();
    progress.seconds = 0.1;
    EXPECT_EQ(format_bar(progress, ascii).find("ETA"), std::string::npos);
}

TEST(Bar, IsNeverMoreThanFull) {
    Progress progress = half();
    progress.bytes_read = 200'000'000;
    EXPECT_NE(format_bar(progress, ascii).find("==================== 100%"), std::string::npos);
    progress.bytes_total = 0;
    EXPECT_EQ(format_bar(progress, ascii).find('%'), std::string::npos);
}

TEST(Bar, OfALoadCountsRows) {
    const Progress progress{
        .step = Step::load, .resource = "/data/shop.duckdb", .records = 0, .rows = 250, .bytes_read = 0, .bytes_total = {}, .rows_total = 1'000, .seconds = 0};
    EXPECT_EQ(format_bar(progress, ascii), "load     shop.duckdb  =====---------------  25%  250 rows  0 rows/s");
}

std::string errors_of(const GlobalArguments& global, const Terminal& terminal, SetClock& clock) {
    testing::internal::CaptureStderr();
    {
        const auto view = make_progress_view(global, terminal, clock);
        view->on_progress(half());
        clock.time_us += 10'000'000;
        view->on_progress(half());
        view->on_step_finished(Step::extract, half());
    }
    return testing::internal::GetCapturedStderr();
}

TEST(View, IsLinesEveryTenSecondsWithoutATerminal) {
    SetClock clock;
    EXPECT_EQ(errors_of({.progress = ProgressMode::lines}, ascii, clock),
              "extract  events  50.0 MB  2,000 rows  25.0 MB/s  50%  ETA 2.00 s\n"
              "extract  events  50.0 MB  2,000 rows  25.0 MB/s  done in 2.00 s\n");
}

TEST(View, OfATerminalIsOneLineThatIsClearedAtTheEnd) {
    SetClock clock;
    const std::string text = errors_of({.progress = ProgressMode::bar}, {.is_stderr_terminal = true, .width = 40}, clock);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_TRUE(text.ends_with("\r\x1b[K"));
    const std::string first = text.substr(1, text.find("\x1b[K") - 1);
    EXPECT_LT(display_width(first), 40U) << first;
}

TEST(View, IsNothingWhenQuiet) {
    SetClock clock;
    EXPECT_EQ(errors_of({.is_quiet = true, .progress = ProgressMode::lines}, ascii, clock), "");
    EXPECT_EQ(errors_of({.progress = ProgressMode::none}, ascii, clock), "");
}

TEST(View, AsJsonIsOneObjectPerLineOnStdout) {
    SetClock clock;
    testing::internal::CaptureStdout();
    EXPECT_EQ(errors_of({.is_json = true}, ascii, clock), "");
    std::string text = testing::internal::GetCapturedStdout();
    ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
    json::Value event;
    ASSERT_TRUE(json::try_parse(text.substr(0, text.find('\n')), event));
    EXPECT_EQ(*event.as_object().find("event"), json::Value("progress"));
    EXPECT_EQ(*event.as_object().find("total"), json::Value(100'000'000));
}

}  // namespace
}  // namespace tipple::cli
