#include "tipple/core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "tipple/core/error.h"

namespace tipple {

struct Log::Target {
    spdlog::logger logger;
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

spdlog::logger make_logger(spdlog::sink_ptr sink, LogLevel level) {
    spdlog::logger logger("tipple", std::move(sink));
    logger.set_level(spdlog_level(level));
    logger.set_pattern("%H:%M:%S.%e %l %v");
    logger.flush_on(spdlog::level::debug);
    return logger;
}

}  // namespace

Log::Log() = default;

Log Log::to_stderr(LogLevel level) {
    Log log;
    log.target_ = std::make_shared<Target>(
        Target{make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level)});
    return log;
}

Log Log::to_file(const std::string& path, LogLevel level) {
    Log log;
    try {
        log.target_ = std::make_shared<Target>(
            Target{make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path), level)});
    } catch (const spdlog::spdlog_ex& error) {
        throw Error(ErrorKind::local, "cannot open the log file \"{}\": {}", path, error.what());
    }
    return log;
}

bool Log::enabled(LogLevel level) const {
    return target_ != nullptr && target_->logger.should_log(spdlog_level(level));
}

void Log::write(LogLevel level, std::string_view text) const {
    target_->logger.log(spdlog_level(level), text);
}

}  // namespace tipple
