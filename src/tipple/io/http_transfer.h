#pragma once

#include <functional>
#include <limits>
#include <optional>

#include "tipple/io/http_read_file.h"

namespace tipple::io {

/// The bytes of one range of an object, in their order and each once, however often the connection breaks. One thread.
class HttpTransfer {
public:
    static constexpr std::uint64_t to_the_end = std::numeric_limits<std::uint64_t>::max();

    /// `take` gets the bytes; false = it wants no more until `advance` is called again. `object` and `pool` outlive this.
    HttpTransfer(HttpPool& pool, const HttpObject& object, std::uint64_t from, std::uint64_t to, std::function<bool(std::string_view)> take);
    ~HttpTransfer();
    HttpTransfer(const HttpTransfer&) = delete;
    HttpTransfer& operator=(const HttpTransfer&) = delete;

    /// Lets bytes come for about a second, or until `take` wants no more. False when all have come. Throws Error.
    bool advance(const std::stop_token& stop);
    std::uint64_t position() const { return position_; }

private:
    HttpCall call();
    void prepare(HttpRequest& request);
    bool take_piece(const HttpResponse& head, std::string_view piece);
    void check_head(const HttpResponse& head);
    void check_version(const HttpResponse& head);
    bool is_complete() const;
    [[noreturn]] void throw_failure(const HttpExchange& exchange) const;
    Error changed_error(ErrorKind kind) const;

    const HttpObject& object_;
    const std::uint64_t end_;
    const std::function<bool(std::string_view)> take_;
    HttpPool::Lease lease_;
    std::optional<std::uint64_t> call_id_;
    std::uint64_t position_ = 0;
    /// Known from the object, or from the first answer.
    std::optional<std::uint64_t> size_;
    std::string etag_;  ///< the same; without quotes
    std::string last_modified_;
    std::uint64_t position_of_attempt_ = 0;
    /// Of a server that gives everything where a part was asked for.
    std::uint64_t to_skip_ = 0;
    bool has_head_ = false;
    bool is_changed_ = false;
    bool is_ended_ = false;
};

}  // namespace tipple::io
