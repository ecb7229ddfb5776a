#include "tipple/sources/json_reader.h"

#include <algorithm>
#include <cstring>

#include "tipple/core/limits.h"
#include "tipple/core/text.h"
#include "tipple/json/record_cutter.h"

namespace tipple::sources {

namespace {

constexpr std::size_t head_bytes = 64 << 10;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

Head read_head(io::InputStream& input) {
    Head head;
    head.bytes.resize(head_bytes);
    std::size_t size = 0;
    while (size < head_bytes) {
        const std::size_t got = input.read(head.bytes.data() + size, head_bytes - size);
        if (got == 0) {
            head.is_all = true;
            break;
        }
        size += got;
    }
    head.bytes.resize(size);
    if (head.bytes.starts_with(byte_order_mark)) {
        head.bytes.erase(0, byte_order_mark.size());
        head.skipped = byte_order_mark.size();
    }
    return head;
}

JsonReader::JsonReader(io::InputStream& input, Head head, DataFormat format, std::optional<json::Path> select, std::string name,
                       std::shared_ptr<const extract::OriginColumns> origin_columns)
    : input_(input), head_(std::move(head)), format_(format), select_(std::move(select)), origin_columns_(std::move(origin_columns)) {
    origin_.name = std::move(name);
    origin_.byte_offset = head_.skipped;
    is_at_end_ = head_.is_all && head_.bytes.empty();
}

/// Reads until the buffer has `size` bytes or the content ends. False when it has ended.
bool JsonReader::fill(columns::Buffer& buffer, std::size_t size) {
    buffer.reserve(size + limits::json_padding);
    while (buffer.size() < size && !is_at_end_) {
        const std::size_t wanted = size - buffer.size();
        if (head_used_ < head_.bytes.size()) {
            const std::size_t take = std::min(wanted, head_.bytes.size() - head_used_);
            buffer.append(head_.bytes.data() + head_used_, take);
            head_used_ += take;
            if (head_used_ == head_.bytes.size() && head_.is_all) is_at_end_ = true;
            continue;
        }
        const std::size_t old = buffer.size();
        char* out = reinterpret_cast<char*>(buffer.extend(wanted));
        const std::size_t got = input_.read(out, wanted);
        buffer.resize(old + got);
        if (got == 0) is_at_end_ = true;
    }
    return !is_at_end_;
}

void JsonReader::fail_too_large(std::size_t size, const extract::ResourceContext& context) const {
    throw Error(ErrorKind::data,
                "{}: the record that starts at byte {}{} is larger than {}, which the memory budget allows for one record ({} were read and it "
                "does not end); give more with --memory{}",
                origin_.name, origin_.byte_offset, origin_.line > 0 ? fmt::format(" (line {})", origin_.line) : "",
                format_bytes(context.record_bytes_max), format_bytes(size),
                select_ ? "" : ", or, when the records are inside of one large object, name their place with --select");
}

void JsonReader::emit(columns::Buffer text, std::size_t size, std::vector<std::size_t> starts, extract::Output& out) {
    text.resize(size + limits::json_padding);
    std::memset(text.data() + size, ' ', limits::json_padding);
    const std::string_view content(reinterpret_cast<const char*>(text.data()), size);
    const std::size_t lines = origin_.line > 0 ? count_lines(content) : 0;
    const std::size_t records = starts.size();
    extract::JsonPage page{.text = std::move(text), .size = size, .record_starts = std::move(starts), .origin = origin_, .origin_columns = origin_columns_};
    out.write(std::move(page));
    origin_.byte_offset += size;
    if (origin_.line > 0) origin_.line += lines;
    origin_.record += origin_.line > 0 ? lines : records;
}

void JsonReader::read(const extract::ResourceContext& context, extract::Output& out, const std::function<void()>& on_read) {
    if (format_ == DataFormat::json_lines && !select_) {
        read_lines(context, out, on_read);
    } else {
        read_documents(context, out, on_read);
    }
}

void JsonReader::read_lines(const extract::ResourceContext& context, extract::Output& out, const std::function<void()>& on_read) {
    origin_.line = 1;
    columns::Buffer buffer;
    std::size_t target = context.page_bytes;
    while (out.wants_more()) {
        const bool goes_on = fill(buffer, target);
        if (buffer.empty()) break;
        std::size_t cut = buffer.size();
        if (goes_on) {
            const void* last = memrchr(buffer.data(), '\n', buffer.size());
            if (last == nullptr) {
                if (target >= context.record_bytes_max) fail_too_large(buffer.size(), context);
                target = std::min(target * 2, context.record_bytes_max);
                continue;
            }
            cut = static_cast<std::size_t>(static_cast<const std::uint8_t*>(last) - buffer.data()) + 1;
        }
        columns::Buffer rest;
        rest.reserve(context.page_bytes + limits::json_padding);
        rest.append(buffer.data() + cut, buffer.size() - cut);
        emit(std::move(buffer), cut, {}, out);
        buffer = std::move(rest);
        target = std::max(context.page_bytes, buffer.size() + 1);
        on_read();
    }
}

void JsonReader::read_documents(const extract::ResourceContext& context, extract::Output& out, const std::function<void()>& on_read) {
    json::RecordCutter cutter(select_.value_or(json::Path()));
    columns::Buffer buffer;
    std::size_t target = context.page_bytes;
    try {
        while (out.wants_more()) {
            const bool goes_on = fill(buffer, target);
            char* text = reinterpret_cast<char*>(buffer.data());
            cutter.scan(text, buffer.size());
            if (!goes_on) cutter.finish();
            const std::size_t cut = goes_on ? cutter.complete_end() : buffer.size();
            if (goes_on && cut == 0) {
                if (cutter.is_between_records()) {
                    // Only blanks so far: a long member that is not selected.
                    cutter.drop_all();
                    origin_.byte_offset += buffer.size();
                    buffer.clear();
                    continue;
                }
                if (target >= context.record_bytes_max) fail_too_large(buffer.size(), context);
                target = std::min(target * 2, context.record_bytes_max);
                continue;
            }
            if (buffer.empty()) break;
            std::vector<std::size_t> starts = cutter.starts();
            columns::Buffer rest;
            rest.reserve(context.page_bytes + limits::json_padding);
            rest.append(buffer.data() + cut, buffer.size() - cut);
            if (goes_on) cutter.drop(cut);
            if (!starts.empty()) {
                emit(std::move(buffer), cut, std::move(starts), out);
            } else {
                origin_.byte_offset += cut;
            }
            buffer = std::move(rest);
            target = std::max(context.page_bytes, buffer.size() + 1);
            on_read();
            if (!goes_on) break;
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data || std::string_view(error.what()).starts_with(origin_.name)) throw;
        throw error.with_context(origin_.name);
    }
}

}  // namespace tipple::sources
