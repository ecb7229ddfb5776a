#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "tipple/io/file_system.h"

namespace tipple::io {

/// How an input is compressed.
enum class CompressedFormat { none, gzip, zstd, bzip2, xz };

/// Bytes of an input from start to end, decompressed on the way. One thread.
class InputStream {
public:
    virtual ~InputStream() = default;
    /// Up to `length` bytes; 0 only at the end. Throws Error(local), and Error(data) when
    /// compressed input is damaged or ends too early.
    virtual std::size_t read(char* out, std::size_t length) = 0;
    /// Bytes of the file, as it lies on disk, that were used so far; for progress.
    virtual std::uint64_t bytes_read() const = 0;
    /// Bytes of the file as it lies on disk; 0 when that cannot be known (standard input, a pipe).
    virtual std::uint64_t file_size() const = 0;
    virtual CompressedFormat format() const = 0;
    /// Whether what is read differs from the file's bytes for another reason than compression: its text was in another encoding.
    virtual bool is_converted() const { return false; }
    /// The path, or "standard input"; for messages.
    virtual const std::string& name() const = 0;
};

/// Opens a path, or standard input for `-`. Its first bytes, not its name, tell how it is
/// compressed. Files put together from several compressed ones (members, frames, streams) are read
/// as one. Other bytes come as they are, a byte order mark included. Whoever writes into a pipe may take as long as they like: `stop` ends
/// the wait for them, by Error(cancelled) from `read` or from here.
std::unique_ptr<InputStream> open_input(FileSystem& files, const std::string& path, std::stop_token stop = {});
/// The same for a file that is open already, from its current position on.
std::unique_ptr<InputStream> open_input(std::unique_ptr<ReadFile> file, std::stop_token stop = {});

}  // namespace tipple::io
