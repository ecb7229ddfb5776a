#pragma once

namespace tipple::support {

/// Whether a sanitizer keeps what was freed, so that the memory of the process says nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

}  // namespace tipple::support
