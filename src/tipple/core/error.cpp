#include "tipple/core/error.h"

#include <system_error>

namespace tipple {

const char* to_text(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::data:
            return "data";
        case ErrorKind::transient:
            return "transient";
        case ErrorKind::remote:
            return "remote";
        case ErrorKind::local:
            return "local";
        case ErrorKind::corrupt:
            return "corrupt";
        case ErrorKind::locked:
            return "locked";
        case ErrorKind::conflict:
            return "conflict";
        case ErrorKind::cancelled:
            return "cancelled";
    }
    return "unknown";
}

bool can_succeed_later(ErrorKind kind) {
    return kind == ErrorKind::transient || kind == ErrorKind::local || kind == ErrorKind::remote || kind == ErrorKind::locked;
}

Error Error::with_context(const std::string& context) const {
    Error wider(kind_, "{}: {}", context, what());
    wider.retry_after_ = retry_after_;
    return wider;
}

void throw_bug(const char* condition, const char* file, int line) {
    throw Bug(fmt::format("assertion failed: {} ({}:{})", condition, file, line));
}

std::string errno_text(int error_number) {
    return std::generic_category().message(error_number);
}

}  // namespace tipple
