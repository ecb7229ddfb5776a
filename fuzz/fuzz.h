#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

/// What a target does with one input: anything but returning is a finding. Errors (tipple::Error)
/// are answers and are caught by the target.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tipple::fuzz {

/// A finding when it does not hold.
inline void require(bool condition, const std::string& what) {
    if (!condition) throw std::logic_error(what);
}

/// Takes choices off the front of an input, so that one input decides everything.
class Choices {
public:
    Choices(const std::uint8_t* data, std::size_t size)
        : rest_(reinterpret_cast<const char*>(data), size) {}

    /// Below `count`; 0 when the input is used up.
    std::size_t pick(std::size_t count) {
        if (rest_.empty()) return 0;
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return byte % count;
    }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

}  // namespace tipple::fuzz
