#include "tipple/io/text_encoding.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <iconv.h>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::io {

namespace {

constexpr std::size_t raw_buffer_bytes = std::size_t{64} << 10;

struct Mark {
    std::string_view bytes;
    const char* encoding;
};
/// The mark of UTF-32LE begins with that of UTF-16LE.
constexpr std::array<Mark, 4> marks = {{{{"\xFF\xFE\0\0", 4}, "UTF-32LE"}, {{"\0\0\xFE\xFF", 4}, "UTF-32BE"}, {{"\xFF\xFE", 2}, "UTF-16LE"}, {{"\xFE\xFF", 2}, "UTF-16BE"}}};
constexpr std::size_t mark_bytes_max = 4;

bool is_utf8(std::string_view encoding) {
    const std::string name = lower(encoding);
    return name == "utf-8" || name == "utf8" || name == "utf-8-sig" || name == "utf_8";
}

/// Names that people use and iconv does not know.
std::string iconv_name(std::string_view encoding) {
    const std::string name = lower(encoding);
    if (name == "latin-1") return "latin1";
    if (name == "windows-1252" || name == "ansi") return "cp1252";
    // utf-16-le, utf_16_le
    if (!name.starts_with("utf")) return std::string(encoding);
    std::string letters;
    for (const char c : name) {
        if (c != '-' && c != '_') letters += c;
    }
    return "utf-" + letters.substr(3);
}

class Converter {
public:
    explicit Converter(std::string_view encoding) : descriptor_(iconv_open("UTF-8", iconv_name(encoding).c_str())) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how iconv says it.
        if (descriptor_ != reinterpret_cast<iconv_t>(-1)) return;
        throw Error(ErrorKind::usage, "unknown encoding \"{}\"; known are utf-8, utf-16le, utf-16be, latin-1, windows-1252 and all that `iconv -l` lists", excerpt(encoding));
    }
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;
    ~Converter() { iconv_close(descriptor_); }

    /// Moves both places on. Returns 0, or why it stopped.
    int convert(char** in, std::size_t* in_left, char** out, std::size_t* out_left) {
        errno = 0;
        return iconv(descriptor_, in, in_left, out, out_left) == static_cast<std::size_t>(-1) ? errno : 0;
    }
    /// Gives out a last character that was kept back, since an accent could have followed it.
    void flush(char* out, std::size_t* out_left) { iconv(descriptor_, nullptr, nullptr, &out, out_left); }

private:
    iconv_t descriptor_;
};

/// Gives back what was read ahead.
class PeekedInput final : public InputStream {
public:
    PeekedInput(std::unique_ptr<InputStream> input, std::string head) : input_(std::move(input)), head_(std::move(head)) {}

    std::size_t read(char* out, std::size_t length) override {
        if (used_ == head_.size()) return input_->read(out, length);
        const std::size_t take = std::min(length, head_.size() - used_);
        std::memcpy(out, head_.data() + used_, take);
        used_ += take;
        return take;
    }
    std::uint64_t bytes_read() const override { return input_->bytes_read(); }
    std::uint64_t file_size() const override { return input_->file_size(); }
    CompressedFormat format() const override { return input_->format(); }
    bool is_converted() const override { return input_->is_converted(); }
    const std::string& name() const override { return input_->name(); }

private:
    std::unique_ptr<InputStream> input_;
    std::string head_;
    std::size_t used_ = 0;
};

class DecodedInput final : public InputStream {
public:
    DecodedInput(std::unique_ptr<InputStream> input, std::string encoding)
        : input_(std::move(input)), encoding_(std::move(encoding)), converter_(encoding_), raw_(raw_buffer_bytes) {}

    std::size_t read(char* out, std::size_t length) override {
        while (true) {
            if (spare_used_ < spare_.size()) return take_spare(out, length);
            if (is_at_end_) return 0;
            std::size_t room = length;
            const int problem = step(out, &room);
            if (room < length) return length - room;
            if (problem == E2BIG) {
                // For callers with less room than a character needs.
                fill_spare([&](char* to, std::size_t* left) { step(to, left); });
                continue;
            }
            if (problem == EILSEQ) fail("is not in encoding");
            if (fill()) continue;
            if (begin_ != end_) fail("ends within a character of encoding");
            is_at_end_ = true;
            fill_spare([&](char* to, std::size_t* left) { converter_.flush(to, left); });
        }
    }
    std::uint64_t bytes_read() const override { return input_->bytes_read(); }
    std::uint64_t file_size() const override { return input_->file_size(); }
    CompressedFormat format() const override { return input_->format(); }
    bool is_converted() const override { return true; }
    const std::string& name() const override { return input_->name(); }

private:
    /// Converts what is in the buffer as far as it goes. Returns 0, or why it stopped.
    int step(char* out, std::size_t* room) {
        char* from = raw_.data() + begin_;
        std::size_t left = end_ - begin_;
        const int problem = converter_.convert(&from, &left, &out, room);
        consumed_ += end_ - begin_ - left;
        begin_ = end_ - left;
        return problem;
    }

    template <typename Convert>
    void fill_spare(Convert convert) {
        spare_.resize(64);
        std::size_t room = spare_.size();
        convert(spare_.data(), &room);
        spare_.resize(spare_.size() - room);
        spare_used_ = 0;
    }

    std::size_t take_spare(char* out, std::size_t length) {
        const std::size_t take = std::min(length, spare_.size() - spare_used_);
        std::memcpy(out, spare_.data() + spare_used_, take);
        spare_used_ += take;
        return take;
    }

    bool fill() {
        std::memmove(raw_.data(), raw_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        const std::size_t got = input_->read(raw_.data() + end_, raw_.size() - end_);
        end_ += got;
        return got > 0;
    }

    [[noreturn]] void fail(const char* what) const {
        const auto byte = begin_ < end_ ? static_cast<unsigned char>(raw_[begin_]) : 0U;
        throw Error(ErrorKind::data, "{}: the text {} {} (byte {}, 0x{:02X}); say --encoding (encoding) with the right one, such as utf-8, utf-16le or windows-1252", input_->name(),
                    what, encoding_, consumed_, byte);
    }

    std::unique_ptr<InputStream> input_;
    std::string encoding_;
    Converter converter_;
    std::vector<char> raw_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t consumed_ = 0;
    bool is_at_end_ = false;
    /// Converted already, and not yet handed over.
    std::string spare_;
    std::size_t spare_used_ = 0;
};

}  // namespace

void check_encoding(std::string_view encoding) {
    if (!is_utf8(encoding)) Converter probe(encoding);
}

std::unique_ptr<InputStream> put_back(std::string bytes, std::unique_ptr<InputStream> input) {
    return std::make_unique<PeekedInput>(std::move(input), std::move(bytes));
}

std::unique_ptr<InputStream> decode_text(std::unique_ptr<InputStream> input, std::string_view encoding) {
    if (is_utf8(encoding)) return input;
    std::string head(mark_bytes_max, '\0');
    std::size_t size = 0;
    while (size < head.size()) {
        const std::size_t got = input->read(head.data() + size, head.size() - size);
        if (got == 0) break;
        size += got;
    }
    head.resize(size);
    std::string found(encoding);
    for (const Mark& mark : marks) {
        if (found.empty() && head.starts_with(mark.bytes)) found = mark.encoding;
    }
    const bool is_parquet = head.starts_with("PAR1");
    std::unique_ptr<InputStream> whole = put_back(std::move(head), std::move(input));
    if (found.empty() || is_parquet) return whole;
    return std::make_unique<DecodedInput>(std::move(whole), std::move(found));
}

}  // namespace tipple::io
