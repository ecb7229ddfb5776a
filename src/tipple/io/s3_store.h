#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/io/http_retry.h"
#include "tipple/io/object_store.h"
#include "tipple/io/s3_signer.h"

namespace tipple::io {

/// Where keys come from. Thread-safe.
class S3Credentials {
public:
    virtual ~S3Credentials() = default;
    /// Nothing = requests are not signed. Throws Error(usage) when there should be a key and is none.
    virtual std::optional<AccessKey> key(const std::stop_token& stop) = 0;
    /// The store says that this one is no longer good. True when there is another one.
    virtual bool renew(const AccessKey& expired, const std::stop_token& stop) = 0;
};

/// One key for good, or none.
std::shared_ptr<S3Credentials> fixed_credentials(std::optional<AccessKey> key);

/// Where the bucket's name stands in URLs.
enum class BucketStyle : std::uint8_t {
    automatic,     ///< in the host at AWS, unless the name has dots; in the path elsewhere
    path,          ///< `https://endpoint/bucket/key`
    virtual_host,  ///< `https://bucket.endpoint/key`
};

struct S3Options {
    std::string scheme = "s3";  ///< in names of objects
    std::string bucket;
    /// `https://host[:port]`; empty = AWS's for the region.
    std::string endpoint;
    /// Where the bucket is taken to be; another one that the store names is used instead.
    std::string region = "us-east-1";
    BucketStyle style = BucketStyle::automatic;
    SignatureDialect dialect = SignatureDialect::aws;
    RetryOptions retry = {.attempts = 7, .base = std::chrono::milliseconds(200), .max = std::chrono::milliseconds(20'000), .methods = {"GET", "HEAD", "PUT", "POST", "DELETE"}};
    HttpClientOptions client = {.total_timeout = std::chrono::hours(24)};
    /// Of an upload in parts; what is smaller goes in one request. Parts grow after each thousand, since there may be 10,000.
    std::size_t part_bytes = std::size_t{8} << 20;
};

/// A bucket of S3 or of a store that speaks like it. `clock` outlives it.
std::unique_ptr<WritableObjectStore> s3_store(S3Options options, std::shared_ptr<S3Credentials> credentials, const Clock& clock, Log log);

}  // namespace tipple::io
