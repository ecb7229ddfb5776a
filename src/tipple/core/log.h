#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

namespace tipple {

/// From the chattiest to the gravest.
enum class LogLevel { debug, info, warning, error };

/// How a line looks.
enum class LogFormat {
    text,  ///< `12:03:04.123 warning text`, in local time
    json,  ///< one object: `v` (1), `ts` (UTC), `level`, the fields of the log, `message`
};

/// Where the library's log lines go. A value handed down, never a global. Copies share one target. Thread-safe.
class Log {
public:
    /// Discards everything.
    Log();
    /// Lines at or above `level` go to stderr.
    static Log to_stderr(LogLevel level, LogFormat format = LogFormat::text);
    /// The same into a file, appended. Throws Error(local) when it cannot be opened.
    static Log to_file(const std::string& path, LogLevel level, LogFormat format = LogFormat::text);
    /// The same log, whose lines say one thing more where their format has room for it. `name` needs no escaping in JSON.
    Log with(std::string_view name, std::string_view value) const;

    template <typename... Args>
    void debug(fmt::format_string<Args...> format, Args&&... args) const {
        if (enabled(LogLevel::debug)) write(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
    }
    template <typename... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) const {
        if (enabled(LogLevel::info)) write(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
    }
    template <typename... Args>
    void warning(fmt::format_string<Args...> format, Args&&... args) const {
        if (enabled(LogLevel::warning)) write(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
    }
    template <typename... Args>
    void error(fmt::format_string<Args...> format, Args&&... args) const {
        if (enabled(LogLevel::error)) write(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
    }

    bool enabled(LogLevel level) const;

private:
    void write(LogLevel level, std::string_view text) const;

    struct Target;
    std::shared_ptr<Target> target_;
    std::string fields_;  ///< as JSON has them, each with a comma behind it
};

}  // namespace tipple
