#include "tipple/core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"

namespace tipple {

struct Log::Target {
    spdlog::logger logger;
    LogFormat format = LogFormat::text;
};

namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::off;
}

const char* name_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            return "error";
    }
    return "";
}

/// As a JSON string; `json`, which does it for records, is not known here.
void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    out += '"';
}

spdlog::logger make_logger(spdlog::sink_ptr sink, LogLevel level, LogFormat format) {
    spdlog::logger logger("tipple", std::move(sink));
    logger.set_level(spdlog_level(level));
    logger.set_pattern(format == LogFormat::json ? "%v" : "%H:%M:%S.%e %l %v");
    logger.flush_on(spdlog::level::debug);
    return logger;
}

}  // namespace

Log::Log() = default;

Log Log::to_stderr(LogLevel level, LogFormat format) {
    Log log;
    log.target_ = std::make_shared<Target>(Target{make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level, format), format});
    return log;
}

Log Log::to_file(const std::string& path, LogLevel level, LogFormat format) {
    Log log;
    try {
        log.target_ = std::make_shared<Target>(Target{make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path), level, format), format});
    } catch (const spdlog::spdlog_ex& error) {
        throw Error(ErrorKind::local, "cannot open the log file \"{}\": {}", path, error.what());
    }
    return log;
}

Log Log::with(std::string_view name, std::string_view value) const {
    Log log = *this;
    append_quoted(log.fields_, name);
    log.fields_ += ':';
    append_quoted(log.fields_, value);
    log.fields_ += ',';
    return log;
}

bool Log::enabled(LogLevel level) const {
    return target_ != nullptr && target_->logger.should_log(spdlog_level(level));
}

void Log::write(LogLevel level, std::string_view text) const {
    if (target_->format == LogFormat::text) {
        target_->logger.log(spdlog_level(level), text);
        return;
    }
    std::string line = fmt::format("{{\"v\":1,\"ts\":\"{}\",\"level\":\"{}\",{}\"message\":", utc_text(SystemClock().now_us()), name_of(level), fields_);
    append_quoted(line, text);
    line += '}';
    target_->logger.log(spdlog_level(level), line);
}

}  // namespace tipple
