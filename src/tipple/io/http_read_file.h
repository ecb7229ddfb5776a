#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tipple/io/file_system.h"
#include "tipple/io/http_pool.h"

namespace tipple::io {

/// One version of something that a server has.
struct HttpObject {
    std::string name;  ///< for messages
    std::optional<std::uint64_t> size;
    /// What a server compares its own version with; empty = it cannot, so that only size and place tell.
    std::string etag;           ///< without quotes; none that is weak
    std::string last_modified;  ///< the header's text; used where there is no ETag
    /// Asks for all of it. Ranges and conditions are added for each attempt.
    HttpRequest request;
    /// nullptr = none. Outlives the file.
    HttpAuthorizer* authorizer = nullptr;
    /// What an answer that is no success means.
    std::function<Error(const HttpResponse&)> error_of;
    /// Instead of what the status says about another attempt.
    std::function<HttpVerdict(const HttpResponse&)> judge = {};
};

/// Reads it from start to end, keeping `buffer_bytes` at most, and goes on behind a break; the attempts of the pool's sessions are granted anew when much was read
/// since the last one. What the server has by then must be the same version: Error(transient) otherwise, and for an object that ends too soon.
/// `pool` outlives the file.
std::unique_ptr<ReadFile> open_http_file(HttpPool& pool, HttpObject object, std::stop_token stop);

}  // namespace tipple::io
