#include "tipple/io/s3_upload.h"

#include <algorithm>

#include "tipple/core/hash.h"
#include "tipple/core/random.h"
#include "tipple/core/text.h"
#include "tipple/io/http_headers.h"
#include "tipple/io/s3_errors.h"

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
            // Also when the run was stopped: parts that nobody takes back cost money for ever. Where the store does not answer at once, they are taken back
            // with what else the load has left.
            requests_.send_once(abort_request(key_, id_));
        } catch (const std::exception&) {
            // Then too.
        }
    }

    void write(std::string_view bytes) override {
        require_usable();
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
        require_usable();
        if (!id_.empty() && !part_.empty()) send_part();
        has_failed_ = true;
        if (id_.empty()) {
            requests_.send({.method = "PUT", .key = key_, .body = std::move(part_), .right = put_right}, stop_);
        } else {
            complete();
        }
        has_failed_ = false;
        is_closed_ = true;
    }

    std::uint64_t size() const override { return size_; }

private:
    /// Parts of a program that died cost money until somebody takes them back. Who has not the right to list them leaves them there.
    void abort_leftovers() {
        S3UploadsPage page;
        do {
            S3Request request{.query = {{"encoding-type", "url"}}, .accepted = {400, 403, 404, 405, 501}, .right = "s3:ListBucketMultipartUploads"};
            if (!page.next_key.empty()) request.query.emplace_back("key-marker", page.next_key);
            request.query.emplace_back("prefix", key_);
            if (!page.next_id.empty()) request.query.emplace_back("upload-id-marker", page.next_id);
            request.query.emplace_back("uploads", "");
            const HttpResponse response = requests_.send(std::move(request), stop_);
            if (response.status >= 300) return;
            S3UploadsPage next = parse_s3_uploads(response.body);
            for (const S3UnfinishedUpload& upload : next.uploads) {
                if (upload.key == key_) requests_.send(abort_request(key_, upload.id), stop_);
            }
            const bool goes_on = next.next_key != page.next_key || next.next_id != page.next_id;
            page = std::move(next);
            if (!goes_on) return;
        } while (!page.next_key.empty());
    }

    /// What could not be sent is lost: the object must not come to be without it.
    void require_usable() const {
        TIPPLE_ASSERT(!is_closed_);
        if (has_failed_) throw Error(ErrorKind::remote, "cannot go on with {}: writing it failed before", requests_.url(key_));
    }

    void begin() {
        const HttpHeaders headers = {{mark_name(), mark_}};
        id_ = parse_s3_upload_id(requests_.send({.method = "POST", .key = key_, .query = {{"uploads", ""}}, .headers = headers, .body = "", .right = put_right}, stop_).body);
    }

    void send_part() {
        has_failed_ = true;
        if (id_.empty()) abort_leftovers();
        if (id_.empty()) begin();
        const HttpResponse response = requests_.send({.method = "PUT",
                                                      .key = key_,
                                                      .query = {{"partNumber", std::to_string(etags_.size() + 1)}, {"uploadId", id_}},
                                                      .body = std::exchange(part_, {}),
                                                      .right = put_right},
                                                     stop_);
        const std::string* etag = find_header(response.headers, "ETag");
        if (etag == nullptr) throw Error(ErrorKind::remote, "{}: the store gave no ETag for part {}", requests_.url(key_), etags_.size() + 1);
        etags_.push_back(without_quotes(*etag));
        if (etags_.size() % parts_before_growth == 0) part_bytes_ *= 2;
        has_failed_ = false;
    }

    void complete() {
        const HttpResponse response = requests_.send(
            {.method = "POST", .key = key_, .query = {{"uploadId", id_}}, .body = s3_completion(etags_), .accepted = {404}, .right = put_right}, stop_);
        if (response.status < 300 && is_s3_completion_result(response.body)) return;
        // The answer of an attempt before may have been lost, or this one on its way.
        if (is_there()) return;
        const S3Refusal refusal = parse_s3_refusal(response.body);
        throw Error(is_passing_code(refusal.code) ? ErrorKind::transient : ErrorKind::remote, "{}: its {} parts are not put together: {} {}", requests_.url(key_), etags_.size(),
                    response.status, refusal.code.empty() ? excerpt(response.body, 200) : fmt::format("{} {}", refusal.code, excerpt(refusal.message, 300)));
    }

    /// Whether the object is that of this upload, and no other one of its length.
    bool is_there() const {
        const HttpResponse response = requests_.send({.method = "HEAD", .key = key_, .accepted = {400, 403, 404}, .right = "s3:GetObject"}, stop_);
        const std::string* mark = find_header(response.headers, mark_name());
        return response.status < 300 && mark != nullptr && *mark == mark_;
    }

    std::string mark_name() const { return signed_header_name(requests_.options().dialect, "meta-tipple-upload"); }

    S3Requests& requests_;
    const std::string key_;
    const std::stop_token stop_;
    std::size_t part_bytes_;
    std::string part_;
    std::string id_;  ///< of the upload in parts; empty = it is none so far
    std::vector<std::string> etags_;
    /// Kept with the object, by which it is known.
    const std::string mark_ = to_hex(random_bytes(16));
    std::uint64_t size_ = 0;
    bool has_failed_ = false;
    bool is_closed_ = false;
};

}  // namespace

std::unique_ptr<WriteFile> begin_s3_upload(S3Requests& requests, std::string key, std::stop_token stop) {
    return std::make_unique<S3Upload>(requests, std::move(key), std::move(stop));
}

}  // namespace tipple::io
