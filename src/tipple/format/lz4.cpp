#include "tipple/format/lz4.h"

#include <new>

#include <lz4frame.h>

#include "tipple/core/error.h"

namespace tipple::format {

namespace {

/// Independent blocks, large enough that most buffers are one block, and flushed at once: then the
/// library neither copies the input nor keeps any of it. Our files have their own checksum.
LZ4F_preferences_t preferences_for(std::size_t length) {
    LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
    preferences.frameInfo.blockSizeID =
        length <= (std::size_t{64} << 10) ? LZ4F_max64KB : LZ4F_max256KB;
    preferences.frameInfo.blockMode = LZ4F_blockIndependent;
    preferences.autoFlush = 1;
    return preferences;
}

std::size_t checked(std::size_t result) {
    // Only a lack of memory or of room can fail here; the room is ours to give.
    TIPPLE_ASSERT(LZ4F_isError(result) == 0);
    return result;
}

}  // namespace

void Lz4Compressor::Deleter::operator()(void* context) const {
    LZ4F_freeCompressionContext(static_cast<LZ4F_cctx*>(context));
}

Lz4Compressor::Lz4Compressor() {
    LZ4F_cctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)) != 0) {
        throw std::bad_alloc();
    }
    context_.reset(context);
}

std::size_t Lz4Compressor::bound(std::size_t length) {
    const LZ4F_preferences_t preferences = preferences_for(length);
    return LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(length, &preferences);
}

std::size_t Lz4Compressor::compress(std::string_view bytes, std::uint8_t* out,
                                    std::size_t capacity) {
    auto* context = static_cast<LZ4F_cctx*>(context_.get());
    const LZ4F_preferences_t preferences = preferences_for(bytes.size());
    const LZ4F_compressOptions_t options = {.stableSrc = 1, .reserved = {}};
    std::size_t used = checked(LZ4F_compressBegin(context, out, capacity, &preferences));
    used += checked(LZ4F_compressUpdate(context, out + used, capacity - used, bytes.data(),
                                        bytes.size(), &options));
    used += checked(LZ4F_compressEnd(context, out + used, capacity - used, &options));
    return used;
}

void Lz4Decompressor::Deleter::operator()(void* context) const {
    LZ4F_freeDecompressionContext(static_cast<LZ4F_dctx*>(context));
}

Lz4Decompressor::Lz4Decompressor() {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) {
        throw std::bad_alloc();
    }
    context_.reset(context);
}

bool Lz4Decompressor::decompress(std::string_view frame, std::uint8_t* out, std::size_t length) {
    auto* context = static_cast<LZ4F_dctx*>(context_.get());
    LZ4F_decompressOptions_t options = {};
    options.stableDst = 1;
    std::size_t consumed = 0;
    std::size_t produced = 0;
    for (;;) {
        std::size_t in = frame.size() - consumed;
        std::size_t made = length - produced;
        const std::size_t result =
            LZ4F_decompress(context, out + produced, &made, frame.data() + consumed, &in, &options);
        const bool has_failed = LZ4F_isError(result) != 0;
        consumed += has_failed ? 0 : in;
        produced += has_failed ? 0 : made;
        if (result == 0 && consumed == frame.size() && produced == length) return true;
        if (has_failed || result == 0 || (in == 0 && made == 0)) {
            // The context is in the middle of a frame; the next call is to start afresh.
            LZ4F_resetDecompressionContext(context);
            return false;
        }
    }
}

}  // namespace tipple::format
