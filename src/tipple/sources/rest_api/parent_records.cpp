#include "tipple/sources/rest_api/parent_records.h"

namespace tipple::sources::rest {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{64} << 10;

}  // namespace

ParentRecords::ParentRecords(io::FileSystem& files, std::string path, std::vector<std::string> paths) : files_(files), path_(std::move(path)), paths_(std::move(paths)) {
    files_.create_folders(io::parent_folder(path_));
    file_ = files_.create(path_);
}

/// A record is one line of JSON.
void ParentRecords::write(const std::vector<std::optional<json::Value>>& values) {
    json::Array line;
    for (const std::optional<json::Value>& value : values) line.push_back(value.value_or(json::Value()));
    json::append_text(buffer_, line);
    buffer_ += '\n';
    if (buffer_.size() >= buffer_bytes) flush();
}

void ParentRecords::flush() {
    file_->write(buffer_);
    buffer_.clear();
}

void ParentRecords::close() {
    flush();
    file_->close();
}

ParentRecords::Reader::Reader(const ParentRecords& records) : file_(records.files_.open_read(records.path_)) {}

std::optional<json::Array> ParentRecords::Reader::next() {
    while (true) {
        if (const std::size_t end = buffer_.find('\n', used_); end != std::string::npos) {
            json::Value line = json::parse(std::string_view(buffer_).substr(used_, end - used_), "a parent's record");
            used_ = end + 1;
            return std::move(line.as_array());
        }
        buffer_.erase(0, used_);
        used_ = 0;
        const std::size_t size = buffer_.size();
        buffer_.resize(size + buffer_bytes);
        const std::size_t got = file_->read(buffer_.data() + size, buffer_bytes);
        buffer_.resize(size + got);
        if (got == 0) return std::nullopt;
    }
}

}  // namespace tipple::sources::rest
