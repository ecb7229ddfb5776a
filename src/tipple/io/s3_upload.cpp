#include "tipple/io/s3_upload.h"

#include <algorithm>

#include "tipple/core/text.h"

namespace tipple::io {

namespace {

/// Stores take 10,000 parts at most.
constexpr std::size_t parts_before_growth = 1'000;
constexpr const char* put_right = "s3:PutObject";
constexpr const char* abort_right = "s3:AbortMultipartUpload";

S3Request abort_request(const std::string& key, const std::string& id) {
    return {.method = "DELETE", .key = key, .query = {{"uploadId", id}}, .accepted = {404}, .right = abort_right};
}

class S3Upload final : public WriteFile {
public:
    S3Upload(S3Requests& requests, std::string key, std::stop_token stop)
        : requests_(requests), key_(std::move(key)), stop_(std::move(stop)), part_bytes_(requests.options().part_bytes) {}

    ~S3Upload() override {
        if (id_.empty() || is_closed_) return;
        try {
            // Also when the run was stopped: parts that nobody takes back cost money for ever.
            requests_.send(abort_request(key_, id_), {});
        } catch (const std::exception&) {
            // Taken back with what else the load has left.
        }
    }

    void write(std::string_view bytes) override {
        TIPPLE_ASSERT(!is_closed_);
        size_ += bytes.size();
        while (!bytes.empty()) {
            const std::string_view piece = bytes.substr(0, part_bytes_ - part_.size());
            part_ += piece;
            bytes.remove_prefix(piece.size());
            if (part_.size() == part_bytes_) send_part();
        }
    }
    void start_writeback() override {}
    void sync() override {}

    void close() override {
        if (is_closed_) return;
        if (id_.empty()) {
            requests_.send({.method = "PUT", .key = key_, .body = std::move(part_), .right = put_right}, stop_);
        } else {
            if (!part_.empty()) send_part();
            complete();
        }
        is_closed_ = true;
    }

    std::uint64_t size() const override { return size_; }

private:
    void send_part() {
        if (id_.empty()) id_ = parse_s3_upload_id(requests_.send({.method = "POST", .key = key_, .query = {{"uploads", ""}}, .body = "", .right = put_right}, stop_).body);
        const HttpResponse response = requests_.send({.method = "PUT",
                                                      .key = key_,
                                                      .query = {{"partNumber", std::to_string(etags_.size() + 1)}, {"uploadId", id_}},
                                                      .body = std::exchange(part_, {}),
                                                      .right = put_right},
                                                     stop_);
        const std::string* etag = find_header(response.headers, "ETag");
        if (etag == nullptr) throw Error(ErrorKind::remote, "{}: the store gave no ETag for part {}", requests_.url(key_), etags_.size() + 1);
        etags_.push_back(etag->starts_with('"') ? etag->substr(1, etag->size() - 2) : *etag);
        if (etags_.size() % parts_before_growth == 0) part_bytes_ *= 2;
    }

    void complete() {
        const HttpResponse response = requests_.send(
            {.method = "POST", .key = key_, .query = {{"uploadId", id_}}, .body = s3_completion(etags_), .accepted = {404}, .right = put_right}, stop_);
        const S3Refusal refusal = parse_s3_refusal(response.body);
        // The answer of an attempt before may have been lost.
        if (response.status == 404 && is_there()) return;
        if (response.status < 300 && refusal.code.empty()) return;
        throw Error(ErrorKind::remote, "{}: its {} parts are not put together: {} {} {}", requests_.url(key_), etags_.size(), response.status, refusal.code,
                    excerpt(refusal.message, 300));
    }

    bool is_there() const {
        const HttpResponse response = requests_.send({.method = "HEAD", .key = key_, .accepted = {404}, .right = "s3:GetObject"}, stop_);
        const std::string* length = find_header(response.headers, "Content-Length");
        return response.status < 300 && length != nullptr && *length == std::to_string(size_);
    }

    S3Requests& requests_;
    const std::string key_;
    const std::stop_token stop_;
    std::size_t part_bytes_;
    std::string part_;
    std::string id_;  ///< of the upload in parts; empty = it is none so far
    std::vector<std::string> etags_;
    std::uint64_t size_ = 0;
    bool is_closed_ = false;
};

}  // namespace

std::unique_ptr<WriteFile> begin_s3_upload(S3Requests& requests, std::string key, std::stop_token stop) {
    return std::make_unique<S3Upload>(requests, std::move(key), std::move(stop));
}

void abort_s3_uploads(S3Requests& requests, const std::string& prefix, const std::stop_token& stop) {
    const HttpResponse response = requests.send({.query = {{"encoding-type", "url"}, {"prefix", prefix}, {"uploads", ""}}, .right = "s3:ListBucketMultipartUploads"}, stop);
    for (const io::S3UnfinishedUpload& upload : parse_s3_uploads(response.body)) requests.send(abort_request(upload.key, upload.id), stop);
}

}  // namespace tipple::io
