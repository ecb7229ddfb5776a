#include "tipple/io/decompress.h"

#include <random>
#include <stop_token>
#include <thread>

#include <bzlib.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "support/temporary_folder.h"
#include "tipple/core/error.h"

namespace tipple::io {
namespace {

std::string gzipped(std::string_view text) {
    z_stream stream = {};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

/// With a checksum, as the zstd tool makes them; without one, damage may go unseen.
std::string zstd_compressed(std::string_view text) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
    ZSTD_freeCCtx(context);
    return out;
}

std::string bzip2_compressed(std::string_view text) {
    std::string out(text.size() + text.size() / 100 + 600, '\0');
    auto length = static_cast<unsigned>(out.size());
    EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &length, const_cast<char*>(text.data()),
                                       static_cast<unsigned>(text.size()), 1, 0, 0),
              BZ_OK);
    out.resize(length);
    return out;
}

std::string xz_compressed(std::string_view text) {
    std::string out(lzma_stream_buffer_bound(text.size()), '\0');
    std::size_t length = 0;
    EXPECT_EQ(lzma_easy_buffer_encode(
                  1, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()),
                  text.size(), reinterpret_cast<std::uint8_t*>(out.data()), &length, out.size()),
              LZMA_OK);
    out.resize(length);
    return out;
}

/// Text that compresses, but not to nothing.
std::string sample_text(std::size_t length) {
    std::mt19937 random(17);
    std::string text;
    while (text.size() < length)
        text += "{\"id\": " + std::to_string(random()) + ", \"name\": \"someone\"}\n";
    text.resize(length);
    return text;
}

class DecompressTest : public testing::Test {
protected:
    std::unique_ptr<InputStream> open(std::string_view bytes) {
        const std::string path = folder_.path("input");
        const auto file = files_->create(path);
        file->write(bytes);
        file->close();
        return open_input(*files_, path);
    }
    static std::string read_all(InputStream& input, std::size_t step) {
        std::string text;
        std::string part(step, '\0');
        while (const std::size_t got = input.read(part.data(), part.size()))
            text.append(part, 0, got);
        EXPECT_EQ(input.read(part.data(), part.size()), 0U) << "the end stays the end";
        return text;
    }
    std::string decompressed(std::string_view bytes, std::size_t step = 100'000) {
        return read_all(*open(bytes), step);
    }
    /// The message of the error that reading ends with.
    std::string failure(std::string_view bytes) {
        try {
            decompressed(bytes);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data) << error.what();
            return error.what();
        }
        return "no error";
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<FileSystem> files_ = local_file_system();
};

struct Codec {
    const char* name;
    CompressedFormat format;
    std::string (*compress)(std::string_view);
};
constexpr Codec codecs[] = {{"gzip", CompressedFormat::gzip, gzipped},
                            {"zstd", CompressedFormat::zstd, zstd_compressed},
                            {"bzip2", CompressedFormat::bzip2, bzip2_compressed},
                            {"xz", CompressedFormat::xz, xz_compressed}};

TEST_F(DecompressTest, LeavesOtherBytesAsTheyAre) {
    for (const std::string& text :
         {std::string(), std::string("a"), std::string("\xEF\xBB\xBF{}"), std::string("BZh9 plain"),
          std::string("\x1f\x8b"), sample_text(700'000)}) {
        EXPECT_EQ(decompressed(text), text);
        EXPECT_EQ(decompressed(text, 7), text);
    }
    const auto input = open("abc");
    EXPECT_EQ(input->format(), CompressedFormat::none);
    EXPECT_EQ(input->name(), folder_.path("input"));
    EXPECT_EQ(input->file_size(), 3U);
    EXPECT_EQ(input->bytes_read(), 0U);
    read_all(*input, 10);
    EXPECT_EQ(input->bytes_read(), 3U);
}

TEST_F(DecompressTest, ReadsEveryFormat) {
    for (const Codec& codec : codecs) {
        for (const std::size_t length : {0U, 1U, 100U, 1'500'000U}) {
            const std::string text = sample_text(length);
            const std::string bytes = codec.compress(text);
            const auto input = open(bytes);
            EXPECT_EQ(input->format(), codec.format) << codec.name;
            EXPECT_EQ(read_all(*input, 65'536), text) << codec.name;
            EXPECT_EQ(input->bytes_read(), bytes.size()) << codec.name;
        }
        EXPECT_EQ(decompressed(codec.compress(sample_text(3'000)), 1), sample_text(3'000))
            << codec.name;
    }
}

TEST_F(DecompressTest, ReadsSeveralMembersAsOne) {
    for (const Codec& codec : codecs) {
        const std::string one = sample_text(400'000);
        const std::string bytes =
            codec.compress(one) + codec.compress("") + codec.compress("two") + codec.compress("");
        EXPECT_EQ(decompressed(bytes), one + "two") << codec.name;
        EXPECT_EQ(decompressed(bytes + std::string(1000, '\0')), one + "two")
            << codec.name << " with padding";
    }
}

TEST_F(DecompressTest, NamesFileAndByteOfDamage) {
    for (const Codec& codec : codecs) {
        const std::string bytes = codec.compress(sample_text(400'000));
        const std::string truncated = failure(bytes.substr(0, bytes.size() - 1));
        EXPECT_NE(truncated.find("ends too early"), std::string::npos)
            << codec.name << ": " << truncated;
        EXPECT_NE(truncated.find(folder_.path("input")), std::string::npos) << truncated;
        EXPECT_NE(truncated.find("at byte " + std::to_string(bytes.size() - 1)), std::string::npos)
            << truncated;
        EXPECT_NE(failure(bytes.substr(0, 20)).find("ends too early"), std::string::npos)
            << codec.name;

        std::string damaged = bytes;
        damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
        EXPECT_NE(failure(damaged).find("cannot decompress"), std::string::npos) << codec.name;
        EXPECT_NE(failure(bytes + "more").find("other bytes"), std::string::npos) << codec.name;
        EXPECT_NE(failure(bytes + std::string(10, '\0') + "more").find("other bytes"),
                  std::string::npos)
            << codec.name;
    }
}

TEST_F(DecompressTest, AMissingFileIsTheUsersError) {
    try {
        open_input(*files_, folder_.path("missing"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
    }
}

TEST_F(DecompressTest, APipeIsReadToItsEndOrUntilAStop) {
    const std::string path = folder_.path("pipe");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    std::stop_source stop;
    stop.request_stop();
    // Nobody has opened it to write.
    EXPECT_THROW(open_input(*files_, path, stop.get_token()), Error);

    std::jthread writer([&] {
        const auto file = files_->open_append(path);
        file->write("first and last");
        file->close();
    });
    EXPECT_EQ(read_all(*open_input(*files_, path), 100), "first and last");

    // Somebody has, and says nothing more.
    const int held = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::write(held, "twelve bytes", 12), 12);
    const auto input = open_input(*files_, path, stop.get_token());
    std::string part(100, '\0');
    EXPECT_EQ(input->read(part.data(), part.size()), 12U);
    try {
        input->read(part.data(), part.size());
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::cancelled);
    }
    ::close(held);
}

}  // namespace
}  // namespace tipple::io
