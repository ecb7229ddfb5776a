#include "cli/progress_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "cli/load_summary.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"
#include "tipple/json/value.h"

namespace tipple::cli {

namespace {

using pipeline::Progress;
using pipeline::Step;

double per_second(std::uint64_t amount, double seconds) { return seconds > 0 ? static_cast<double>(amount) / seconds : 0; }

/// How much of the step is done, when it is known.
std::optional<double> fraction(const Progress& progress) {
    if (progress.step == Step::extract && progress.bytes_total && *progress.bytes_total > 0) {
        return std::min(1.0, static_cast<double>(progress.bytes_read) / static_cast<double>(*progress.bytes_total));
    }
    if (progress.step == Step::load && progress.rows_total && *progress.rows_total > 0) {
        return std::min(1.0, static_cast<double>(progress.rows) / static_cast<double>(*progress.rows_total));
    }
    return std::nullopt;
}

std::string amounts(const Progress& progress) {
    const std::string rows = counted(progress.rows, "row");
    const auto rows_rate = static_cast<std::uint64_t>(per_second(progress.rows, progress.seconds));
    if (progress.step == Step::load) return fmt::format("{}  {} rows/s", rows, format_count(rows_rate));
    return fmt::format("{}  {}  {}/s", format_bytes(progress.bytes_read), rows,
                       format_bytes(static_cast<std::uint64_t>(per_second(progress.bytes_read, progress.seconds))));
}

std::string remaining(const Progress& progress, double done) {
    if (progress.step == Step::load && done >= 1) return "  committing";
    if (done < 0.01 || progress.seconds < 0.5) return {};
    return fmt::format("  ETA {}", format_seconds(progress.seconds * (1 - done) / done));
}

class BarView final : public pipeline::Observer {
public:
    explicit BarView(Terminal terminal) : terminal_(terminal) {}
    ~BarView() override { clear(); }

    void on_progress(const Progress& progress) override {
        const std::string bar = fit(format_bar(progress, terminal_), terminal_.width - 1, terminal_);
        fmt::print(stderr, "\r{}\x1b[K", bar);
        std::fflush(stderr);
        is_shown_ = true;
    }
    void on_step_finished(Step, const Progress&) override { clear(); }
    void on_pending_package(const std::string& load_id) override {
        clear();
        fmt::print(stderr, "finishing package {} of an earlier run first\n", load_id);
    }
    void on_retry(const std::string& message, double delay_seconds) override {
        clear();
        fmt::print(stderr, "{}; again in {}\n", message, format_seconds(delay_seconds));
    }

private:
    void clear() {
        if (is_shown_) fmt::print(stderr, "\r\x1b[K");
        std::fflush(stderr);
        is_shown_ = false;
    }

    Terminal terminal_;
    bool is_shown_ = false;
};

class LinesView final : public pipeline::Observer {
public:
    LinesView(const Clock& clock, std::string name) : watch_(clock), name_(std::move(name)) {}

    void on_progress(const Progress& progress) override {
        if (watch_.seconds() < interval_seconds) return;
        watch_.restart();
        print(progress, "");
    }
    void on_step_finished(Step, const Progress& progress) override {
        watch_.restart();
        print(progress, fmt::format("  done in {}", format_seconds(progress.seconds)));
    }
    void on_pending_package(const std::string& load_id) override {
        say_lines(fmt::format("finishing package {} of an earlier run first", load_id), name_);
    }
    void on_retry(const std::string& message, double delay_seconds) override {
        say_lines(fmt::format("{}; again in {}", message, format_seconds(delay_seconds)), name_);
    }

private:
    static constexpr double interval_seconds = 10;

    void print(const Progress& progress, const std::string& end) const {
        const std::optional<double> done = fraction(progress);
        const std::string share = done && end.empty() ? fmt::format("  {:.0f}%{}", *done * 100, remaining(progress, *done)) : "";
        say_lines(fmt::format("{:<8} {}  {}{}{}", pipeline::to_text(progress.step), progress.resource, amounts(progress), share, end), name_);
    }

    Stopwatch watch_;
    std::string name_;
};

class JsonView final : public pipeline::Observer {
public:
    JsonView(const Clock& clock, const ViewOptions& options) : clock_(clock), watch_(clock), run_(options.run), pipeline_(options.pipeline) {}

    void on_progress(const Progress& progress) override {
        if (watch_.seconds() < 1) return;
        watch_.restart();
        print("progress", progress);
    }
    void on_step_finished(Step, const Progress& progress) override { print("step.finished", progress); }
    void on_pending_package(const std::string& load_id) override {
        print_object({{"event", "package.resumed"}, {"load_id", load_id}});
    }
    void on_step_started(Step step) override { print_object({{"event", "step.started"}, {"step", pipeline::to_text(step)}}); }
    void on_package_loaded(const std::string& load_id, std::uint64_t rows) override {
        print_object({{"event", "package.loaded"}, {"load_id", load_id}, {"rows", rows}});
    }
    void on_job_failed(const pipeline::JobFailure& failure) override {
        json::Object object{{"event", "job.failed"}};
        for (const json::Member& member : pipeline::to_json(failure)) object.set(member.name, member.value);
        print_object(object);
    }
    void on_retry(const std::string& message, double delay_seconds) override {
        print_object({{"event", "retry"}, {"message", message}, {"delay_s", delay_seconds}});
    }

private:
    void print_object(const json::Object& members) {
        json::Object object{{"v", 1}, {"ts", utc_text(clock_.now_us())}};
        for (const json::Member& member : members) {
            object.append(member.name, member.value);
            if (member.name != "event") continue;
            if (!run_.empty()) object.append("run", run_);
            if (!pipeline_.empty()) object.append("pipeline", pipeline_);
        }
        fmt::print("{}\n", json::to_text(object));
        std::fflush(stdout);
    }

    void print(const char* event, const Progress& progress) {
        json::Object object{{"event", event}, {"step", pipeline::to_text(progress.step)}};
        object.set("resource", progress.resource);
        object.set("records", progress.records);
        object.set("rows", progress.rows);
        object.set("bytes", progress.bytes_read);
        object.set("rows_per_s", static_cast<std::uint64_t>(per_second(progress.rows, progress.seconds)));
        object.set("total", progress.bytes_total ? json::Value(*progress.bytes_total) : json::Value());
        print_object(object);
    }

    const Clock& clock_;
    Stopwatch watch_;
    std::string run_;
    std::string pipeline_;
};

}  // namespace

std::string format_bar(const Progress& progress, const Terminal& terminal) {
    // Of a path, its end: the amounts behind it must fit as well.
    const std::string name = progress.resource.substr(progress.resource.rfind('/') + 1);
    std::string text = fmt::format("{:<8} {}  ", pipeline::to_text(progress.step), fit(name, 24, terminal));
    if (const std::optional<double> done = fraction(progress)) {
        constexpr int cells = 20;
        const int full = static_cast<int>(*done * cells);
        for (int i = 0; i < cells; ++i) text += i < full ? terminal.glyph("█", "=") : terminal.glyph("░", "-");
        text += fmt::format(" {:3.0f}%  {}{}", *done * 100, amounts(progress), remaining(progress, *done));
    } else {
        text += amounts(progress);
    }
    return text;
}

std::unique_ptr<pipeline::Observer> make_progress_view(const GlobalArguments& global, const Terminal& terminal, const Clock& clock, const ViewOptions& options) {
    ProgressMode mode = global.progress;
    if (mode == ProgressMode::automatic) {
        const bool is_ci = std::getenv("CI") != nullptr;
        mode = global.is_json ? ProgressMode::json : terminal.is_stderr_terminal && !is_ci ? ProgressMode::bar : ProgressMode::lines;
    }
    if (options.is_among_others && mode == ProgressMode::bar) mode = ProgressMode::lines;
    if (global.is_quiet) mode = ProgressMode::none;
    switch (mode) {
        case ProgressMode::bar:
            return std::make_unique<BarView>(terminal);
        case ProgressMode::json:
            return std::make_unique<JsonView>(clock, options);
        case ProgressMode::none:
            return std::make_unique<pipeline::Observer>();
        default:
            return std::make_unique<LinesView>(clock, options.is_among_others ? options.pipeline : std::string());
    }
}

}  // namespace tipple::cli
