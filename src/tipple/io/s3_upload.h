#pragma once

#include "tipple/io/s3_requests.h"

namespace tipple::io {

/// An object that is written in parts, or in one request when it is small. `requests` outlives it.
std::unique_ptr<WriteFile> begin_s3_upload(S3Requests& requests, std::string key, std::stop_token stop);

/// Takes back uploads in parts, of keys that begin with `prefix`, which nobody has ended.
void abort_s3_uploads(S3Requests& requests, const std::string& prefix, const std::stop_token& stop);

}  // namespace tipple::io
