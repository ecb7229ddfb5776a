#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace tipple::format {

/// LZ4 frames (the interoperable container, not raw blocks), made by one context that is used again
/// and again.
class Lz4Compressor {
public:
    Lz4Compressor();
    /// Room that `compress` needs for `length` bytes.
    static std::size_t bound(std::size_t length);
    /// Bytes written to `out`.
    std::size_t compress(std::string_view bytes, std::uint8_t* out, std::size_t capacity);

private:
    struct Deleter {
        void operator()(void* context) const;
    };
    std::unique_ptr<void, Deleter> context_;
};

class Lz4Decompressor {
public:
    Lz4Decompressor();
    /// One whole frame of exactly `length` bytes into `out`. False when `frame` is anything else.
    bool decompress(std::string_view frame, std::uint8_t* out, std::size_t length);
    /// More than a frame of this size can hold.
    static std::uint64_t length_max(std::size_t frame_bytes) {
        // A byte of input makes 255 bytes of output at most.
        return (std::uint64_t{frame_bytes} + 1) * 255;
    }

private:
    struct Deleter {
        void operator()(void* context) const;
    };
    std::unique_ptr<void, Deleter> context_;
};

}  // namespace tipple::format
