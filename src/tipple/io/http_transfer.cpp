#include "tipple/io/http_transfer.h"

#include <algorithm>

#include "tipple/io/http_headers.h"
#include "tipple/io/http_retry.h"

namespace tipple::io {

namespace {

/// An attempt that brought so much does not count.
constexpr std::uint64_t progress_bytes = std::uint64_t{32} << 20;
constexpr int status_partial = 206;
constexpr int status_changed = 412;
constexpr int status_no_such_range = 416;

}  // namespace

HttpTransfer::HttpTransfer(HttpPool& pool, const HttpObject& object, std::uint64_t from, std::uint64_t to, std::function<bool(std::string_view)> take)
    : object_(object), end_(to), take_(std::move(take)), lease_(pool.borrow()), position_(from), size_(object.size), etag_(object.etag), last_modified_(object.last_modified), position_of_attempt_(from) {}

HttpTransfer::~HttpTransfer() {
    if (call_id_) lease_.session().abandon(*call_id_);
}

bool HttpTransfer::is_complete() const { return size_ ? position_ >= std::min(end_, *size_) : position_ >= end_; }

Error HttpTransfer::changed_error(ErrorKind kind) const { return Error(kind, "{} has changed while it was read", object_.name); }

bool HttpTransfer::advance(const std::stop_token& stop) {
    if (is_ended_ || (!call_id_ && is_complete())) return false;
    if (call_id_) {
        lease_.session().resume(*call_id_);
    } else {
        call_id_ = lease_.session().submit(call());
    }
    const std::optional<HttpExchange> exchange = lease_.session().wait_or_pause(stop);
    // Behind the range a server may send the rest of the object, which nobody waits for.
    if (!exchange) return position_ < end_;
    call_id_.reset();
    is_ended_ = true;
    if (exchange->error || exchange->response.status >= 300) throw_failure(*exchange);
    if (size_ && !is_complete()) {
        throw Error(ErrorKind::transient, "{} ended after {} of {} bytes, also when it was asked for again", object_.name, position_, *size_);
    }
    return false;
}

HttpCall HttpTransfer::call() {
    HttpCall call{.request = object_.request, .authorizer = object_.authorizer};
    call.request.decompresses = false;
    call.request.on_body = [this](const HttpResponse& head, std::string_view piece) { return take_piece(head, piece); };
    call.on_attempt = [this](HttpRequest& request) { prepare(request); };
    call.has_progress = [this] { return position_ - position_of_attempt_ >= progress_bytes; };
    call.judge = [this](const HttpResponse& response) {
        // Cut off where a connection's end says that all is there.
        if (response.status < 300 && size_ && !is_complete()) return HttpVerdict::retry;
        if (response.status == status_changed || response.status == status_no_such_range) return HttpVerdict::accept;
        return object_.judge ? object_.judge(response) : HttpVerdict::by_status;
    };
    return call;
}

void HttpTransfer::prepare(HttpRequest& request) {
    if (position_of_attempt_ < position_ && etag_.empty() && last_modified_.empty()) {
        throw Error(ErrorKind::transient, "{} broke off after {} bytes, and the server gives neither ETag nor Last-Modified to tell that the rest is of the same version",
                    object_.name, position_);
    }
    has_head_ = false;
    to_skip_ = 0;
    if (position_ > 0 || end_ != to_the_end) {
        set_header(request.headers, "Range", end_ == to_the_end ? fmt::format("bytes={}-", position_) : fmt::format("bytes={}-{}", position_, end_ - 1));
    }
    if (!etag_.empty()) {
        set_header(request.headers, "If-Match", "\"" + etag_ + "\"");
    } else if (!last_modified_.empty()) {
        set_header(request.headers, "If-Unmodified-Since", last_modified_);
    }
    position_of_attempt_ = position_;
}

void HttpTransfer::check_version(const HttpResponse& head) {
    const std::string* etag = find_header(head.headers, "ETag");
    const std::string* modified = find_header(head.headers, "Last-Modified");
    if (!etag_.empty()) {
        is_changed_ = etag != nullptr && without_quotes(*etag) != etag_;
    } else if (!last_modified_.empty()) {
        is_changed_ = modified != nullptr && parse_http_date(*modified) != parse_http_date(last_modified_);
    } else if (etag != nullptr && !is_weak_etag(*etag)) {
        etag_ = without_quotes(*etag);
    } else if (modified != nullptr) {
        last_modified_ = *modified;
    }
}

void HttpTransfer::check_head(const HttpResponse& head) {
    check_version(head);
    std::optional<std::uint64_t> size;
    if (head.status == status_partial) {
        const std::optional<ContentRange> range = content_range_of(head);
        if (!range || range->from != position_) {
            throw Error(ErrorKind::remote, "{}: bytes from {} on were asked for, and the server says that it sends others", object_.name, position_);
        }
        size = range->size;
    } else {
        // All of it, though a part was asked for.
        to_skip_ = position_;
        size = content_length_of(head);
    }
    if (size && size_ && *size != *size_) is_changed_ = true;
    // Another attempt would meet the same: this one ends the call.
    if (is_changed_) throw changed_error(ErrorKind::remote);
    if (size) size_ = size;
}

bool HttpTransfer::take_piece(const HttpResponse& head, std::string_view piece) {
    if (!std::exchange(has_head_, true)) check_head(head);
    const std::size_t skipped = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, piece.size()));
    piece.remove_prefix(skipped);
    to_skip_ -= skipped;
    piece = piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), end_ - position_)));
    position_ += piece.size();
    const bool wants_more = piece.empty() || take_(piece);
    return wants_more && (position_ < end_ || head.status == status_partial);
}

void HttpTransfer::throw_failure(const HttpExchange& exchange) const {
    if (is_changed_ || exchange.response.status == status_changed || exchange.response.status == status_no_such_range) throw changed_error(ErrorKind::transient);
    if (exchange.error) throw Error(exchange.error->kind(), "{}: {}", object_.name, exchange.error->what());
    throw object_.error_of(exchange.response);
}

}  // namespace tipple::io
