#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tipple/io/decompress.h"
#include "tipple/json/path.h"
#include "tipple/source/source.h"
#include "tipple/sources/data_format.h"

namespace tipple::sources {

/// The beginning of a content that was read to find out what it is.
struct Head {
    std::string bytes;  ///< a byte order mark is skipped
    bool is_all = false;
    std::uint64_t skipped = 0;  ///< bytes of the mark
};

/// Reads up to 64 KiB.
Head read_head(io::InputStream& input);

/// Reads JSON of any form from `input`, behind its head, and writes it as pages of whole records. Pages are cut by what the content is, never
/// by how much a read returned, so the same content always gives the same pages. Returns the bytes of content.
class JsonReader {
public:
    /// `origin_columns`: added to the records; nullptr = nothing. `select`: where the records are inside each document; nothing = the document's elements or the document itself.
    JsonReader(io::InputStream& input, Head head, DataFormat format, std::optional<json::Path> select, std::string name,
               std::shared_ptr<const extract::OriginColumns> origin_columns = nullptr);

    /// `on_read` is called after each page.
    void read(const extract::ResourceContext& context, extract::Output& out, const std::function<void()>& on_read);

private:
    void read_lines(const extract::ResourceContext& context, extract::Output& out, const std::function<void()>& on_read);
    void read_documents(const extract::ResourceContext& context, extract::Output& out, const std::function<void()>& on_read);
    bool fill(columns::Buffer& buffer, std::size_t size);
    void emit(columns::Buffer text, std::size_t size, std::vector<std::size_t> starts, extract::Output& out);
    [[noreturn]] void fail_too_large(std::size_t size, const extract::ResourceContext& context) const;

    io::InputStream& input_;
    Head head_;
    std::size_t head_used_ = 0;
    DataFormat format_;
    std::optional<json::Path> select_;
    extract::Origin origin_;
    std::shared_ptr<const extract::OriginColumns> origin_columns_;
    bool is_at_end_ = false;
};

}  // namespace tipple::sources
