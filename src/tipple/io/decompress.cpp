#include "tipple/io/decompress.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "tipple/core/error.h"

namespace tipple::io {

namespace {

constexpr std::size_t raw_buffer_bytes = std::size_t{256} << 10;
/// The C libraries count in unsigned int.
constexpr std::size_t step_bytes_max = std::size_t{1} << 30;
/// xz files say how much memory they need; more than any preset of the tool asks for is refused.
constexpr std::uint64_t xz_memory_max = std::uint64_t{128} << 20;
constexpr std::size_t magic_bytes_max = 10;

/// The file as it lies on disk, through a buffer that allows looking ahead.
class RawInput {
public:
    RawInput(std::unique_ptr<ReadFile> file, std::stop_token stop)
        : file_(std::move(file)), stop_(std::move(stop)), buffer_(raw_buffer_bytes) {}

    /// What is in the buffer: at least `length` bytes unless the file ends before.
    std::string_view peek(std::size_t length) {
        if (end_ - begin_ < length && !is_at_end_) {
            std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        while (end_ - begin_ < length && !is_at_end_) {
            const std::size_t got = read(buffer_.data() + end_, buffer_.size() - end_);
            is_at_end_ = got == 0;
            end_ += got;
        }
        return {buffer_.data() + begin_, end_ - begin_};
    }
    void consume(std::size_t length) {
        begin_ += length;
        consumed_ += length;
    }
    /// Around the buffer, which is empty.
    std::size_t read_through(char* out, std::size_t length) {
        if (is_at_end_) return 0;
        const std::size_t got = read(out, length);
        is_at_end_ = got == 0;
        consumed_ += got;
        return got;
    }
    /// Nothing is left to be read into the buffer.
    bool is_at_end() const { return is_at_end_; }
    std::uint64_t consumed() const { return consumed_; }
    const ReadFile& file() const { return *file_; }

private:
    std::size_t read(char* out, std::size_t length) {
        constexpr std::chrono::milliseconds between_looks{100};
        while (!file_->wait_readable(between_looks)) {
            if (stop_.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
        }
        return file_->read(out, length);
    }

    std::unique_ptr<ReadFile> file_;
    std::stop_token stop_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t consumed_ = 0;
    bool is_at_end_ = false;
};

/// What a decoder did with some input.
struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool is_member_end = false;
    const char* damage = nullptr;  ///< why the input cannot be decompressed
};

/// One compressed format. A file is one or more members back to back.
class Decoder {
public:
    virtual ~Decoder() = default;
    virtual CompressedFormat format() const = 0;
    virtual const char* name() const = 0;
    virtual Step step(std::string_view in, char* out, std::size_t length, bool is_last_input) = 0;
    /// Whether another member starts with these bytes, at least `magic_bytes_max` unless the file
    /// ends before.
    virtual bool starts_member(std::string_view in) const = 0;
    virtual void restart() = 0;
};

std::size_t step_length(std::size_t length) {
    return std::min(length, step_bytes_max);
}

class GzipDecoder final : public Decoder {
public:
    static bool is_magic(std::string_view in) { return in.starts_with("\x1f\x8b\x08"); }

    GzipDecoder() {
        // 15: the largest window; 16: gzip, not zlib, framing.
        if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
    }
    GzipDecoder(const GzipDecoder&) = delete;
    GzipDecoder& operator=(const GzipDecoder&) = delete;
    ~GzipDecoder() override { inflateEnd(&stream_); }

    CompressedFormat format() const override { return CompressedFormat::gzip; }
    const char* name() const override { return "gzip"; }
    Step step(std::string_view in, char* out, std::size_t length, bool) override {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        stream_.avail_in = static_cast<uInt>(in.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out);
        stream_.avail_out = static_cast<uInt>(step_length(length));
        const int result = inflate(&stream_, Z_NO_FLUSH);
        Step step{.consumed = in.size() - stream_.avail_in,
                  .produced = step_length(length) - stream_.avail_out,
                  .is_member_end = result == Z_STREAM_END};
        if (result == Z_MEM_ERROR) throw std::bad_alloc();
        // Z_BUF_ERROR only says that nothing could be done without more input.
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            step.damage = stream_.msg != nullptr ? stream_.msg : "invalid data";
        }
        return step;
    }
    bool starts_member(std::string_view in) const override { return is_magic(in); }
    void restart() override { inflateReset(&stream_); }

private:
    z_stream stream_ = {};
};

class ZstdDecoder final : public Decoder {
public:
    static bool is_magic(std::string_view in) {
        // A frame, or one that decoders skip: parallel compressors start with such.
        return in.starts_with("\x28\xb5\x2f\xfd") ||
               (in.size() >= 4 && (in[0] & 0xF0) == 0x50 && in.substr(1, 3) == "\x2a\x4d\x18");
    }

    ZstdDecoder() : context_(ZSTD_createDCtx()) {
        if (context_ == nullptr) throw std::bad_alloc();
    }
    ZstdDecoder(const ZstdDecoder&) = delete;
    ZstdDecoder& operator=(const ZstdDecoder&) = delete;
    ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }

    CompressedFormat format() const override { return CompressedFormat::zstd; }
    const char* name() const override { return "zstd"; }
    Step step(std::string_view in, char* out, std::size_t length, bool) override {
        ZSTD_inBuffer source{in.data(), in.size(), 0};
        ZSTD_outBuffer target{out, length, 0};
        const std::size_t result = ZSTD_decompressStream(context_, &target, &source);
        Step step{.consumed = source.pos, .produced = target.pos, .is_member_end = result == 0};
        if (ZSTD_isError(result) != 0) step.damage = ZSTD_getErrorName(result);
        return step;
    }
    bool starts_member(std::string_view in) const override { return is_magic(in); }
    void restart() override { ZSTD_DCtx_reset(context_, ZSTD_reset_session_only); }

private:
    ZSTD_DCtx* context_;
};

class Bzip2Decoder final : public Decoder {
public:
    static bool is_magic(std::string_view in) {
        // The number behind BZh is pi at the start of a block and its square root at the end of a
        // file without blocks.
        return in.size() >= 10 && in.starts_with("BZh") && in[3] >= '1' && in[3] <= '9' &&
               (in.substr(4, 6) == "\x31\x41\x59\x26\x53\x59" ||
                in.substr(4, 6) == "\x17\x72\x45\x38\x50\x90");
    }

    Bzip2Decoder() { start(); }
    Bzip2Decoder(const Bzip2Decoder&) = delete;
    Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;
    ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&stream_); }

    CompressedFormat format() const override { return CompressedFormat::bzip2; }
    const char* name() const override { return "bzip2"; }
    Step step(std::string_view in, char* out, std::size_t length, bool) override {
        stream_.next_in = const_cast<char*>(in.data());
        stream_.avail_in = static_cast<unsigned>(in.size());
        stream_.next_out = out;
        stream_.avail_out = static_cast<unsigned>(step_length(length));
        const int result = BZ2_bzDecompress(&stream_);
        Step step{.consumed = in.size() - stream_.avail_in,
                  .produced = step_length(length) - stream_.avail_out,
                  .is_member_end = result == BZ_STREAM_END};
        if (result == BZ_MEM_ERROR) throw std::bad_alloc();
        if (result != BZ_OK && result != BZ_STREAM_END) step.damage = "invalid data";
        return step;
    }
    bool starts_member(std::string_view in) const override { return is_magic(in); }
    void restart() override {
        BZ2_bzDecompressEnd(&stream_);
        start();
    }

private:
    void start() {
        stream_ = {};
        if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
    }
    bz_stream stream_ = {};
};

class XzDecoder final : public Decoder {
public:
    static bool is_magic(std::string_view in) {
        return in.starts_with(std::string_view("\xFD\x37\x7A\x58\x5A\x00", 6));
    }

    XzDecoder() { start(); }
    XzDecoder(const XzDecoder&) = delete;
    XzDecoder& operator=(const XzDecoder&) = delete;
    ~XzDecoder() override { lzma_end(&stream_); }

    CompressedFormat format() const override { return CompressedFormat::xz; }
    const char* name() const override { return "xz"; }
    Step step(std::string_view in, char* out, std::size_t length, bool is_last_input) override {
        stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
        stream_.avail_in = in.size();
        stream_.next_out = reinterpret_cast<std::uint8_t*>(out);
        stream_.avail_out = length;
        const lzma_ret result = lzma_code(&stream_, is_last_input ? LZMA_FINISH : LZMA_RUN);
        Step step{.consumed = in.size() - stream_.avail_in,
                  .produced = length - stream_.avail_out,
                  .is_member_end = result == LZMA_STREAM_END};
        if (result == LZMA_MEM_ERROR) throw std::bad_alloc();
        if (result == LZMA_MEMLIMIT_ERROR) {
            step.damage =
                "decompressing it needs more than 128 MiB of memory; compress it again with a "
                "preset of xz";
        } else if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR) {
            step.damage = "invalid data";
        }
        return step;
    }
    bool starts_member(std::string_view in) const override { return is_magic(in); }
    void restart() override { start(); }

private:
    void start() {
        if (lzma_stream_decoder(&stream_, xz_memory_max, 0) != LZMA_OK) throw std::bad_alloc();
    }
    lzma_stream stream_ = LZMA_STREAM_INIT;
};

class PlainInput final : public InputStream {
public:
    explicit PlainInput(RawInput raw) : raw_(std::move(raw)) {}

    std::size_t read(char* out, std::size_t length) override {
        const std::string_view buffered = raw_.peek(0);
        if (buffered.empty()) return raw_.read_through(out, length);
        const std::size_t count = std::min(length, buffered.size());
        std::memcpy(out, buffered.data(), count);
        raw_.consume(count);
        return count;
    }
    std::uint64_t bytes_read() const override { return raw_.consumed(); }
    std::uint64_t file_size() const override { return raw_.file().size(); }
    CompressedFormat format() const override { return CompressedFormat::none; }
    const std::string& name() const override { return raw_.file().path(); }

private:
    RawInput raw_;
};

class CompressedInput final : public InputStream {
public:
    CompressedInput(RawInput raw, std::unique_ptr<Decoder> decoder)
        : raw_(std::move(raw)), decoder_(std::move(decoder)) {}

    std::size_t read(char* out, std::size_t length) override {
        if (length == 0) return 0;
        for (;;) {
            if (is_between_members_ && !start_next_member()) return 0;
            const std::string_view in = raw_.peek(1);
            const Step step = decoder_->step(in, out, length, raw_.is_at_end());
            raw_.consume(step.consumed);
            if (step.damage != nullptr) fail(step.damage);
            is_between_members_ = step.is_member_end;
            if (step.produced > 0) return step.produced;
            // At the end of the file one more step may still deliver what the decoder holds back;
            // one without effect cannot.
            if (step.consumed == 0 && !step.is_member_end) {
                fail(in.empty() ? "the file ends too early; is it a part of a download or copy?"
                                : "invalid data");
            }
        }
    }
    std::uint64_t bytes_read() const override { return raw_.consumed(); }
    std::uint64_t file_size() const override { return raw_.file().size(); }
    CompressedFormat format() const override { return decoder_->format(); }
    const std::string& name() const override { return raw_.file().path(); }

private:
    /// False at the end of the file. Zeros behind a member are padding, as tapes and xz make it;
    /// anything else is an error, because ignoring it could lose records.
    bool start_next_member() {
        for (;;) {
            const std::string_view in = raw_.peek(magic_bytes_max);
            if (in.empty()) return false;
            if (decoder_->starts_member(in)) break;
            const std::size_t zeros = std::min(in.find_first_not_of('\0'), in.size());
            if (zeros == 0) fail("there are other bytes behind the compressed ones");
            raw_.consume(zeros);
        }
        decoder_->restart();
        is_between_members_ = false;
        return true;
    }

    [[noreturn]] void fail(const char* reason) const {
        throw Error(ErrorKind::data, "cannot decompress \"{}\" ({}) at byte {} of the file: {}",
                    name(), decoder_->name(), raw_.consumed(), reason);
    }

    RawInput raw_;
    std::unique_ptr<Decoder> decoder_;
    bool is_between_members_ = false;
};

std::unique_ptr<Decoder> decoder_for(std::string_view start) {
    if (GzipDecoder::is_magic(start)) return std::make_unique<GzipDecoder>();
    if (ZstdDecoder::is_magic(start)) return std::make_unique<ZstdDecoder>();
    if (Bzip2Decoder::is_magic(start)) return std::make_unique<Bzip2Decoder>();
    if (XzDecoder::is_magic(start)) return std::make_unique<XzDecoder>();
    return nullptr;
}

}  // namespace

std::unique_ptr<InputStream> open_input(std::unique_ptr<ReadFile> file, std::stop_token stop) {
    RawInput raw(std::move(file), std::move(stop));
    std::unique_ptr<Decoder> decoder = decoder_for(raw.peek(magic_bytes_max));
    if (decoder == nullptr) return std::make_unique<PlainInput>(std::move(raw));
    return std::make_unique<CompressedInput>(std::move(raw), std::move(decoder));
}

std::unique_ptr<InputStream> open_input(FileSystem& files, const std::string& path, std::stop_token stop) {
    return open_input(path == "-" ? open_standard_input() : files.open_read(path), std::move(stop));
}

}  // namespace tipple::io
