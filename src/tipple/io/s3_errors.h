#pragma once

#include <string>

#include "tipple/core/error.h"
#include "tipple/io/http_client.h"

namespace tipple::io {

/// What was asked of a store, for messages.
struct S3Question {
    std::string url;  ///< `s3://bucket/key`
    std::string bucket;
    std::string endpoint;
    std::string region;
    std::string method;
    std::string right;
    std::string access_key_id;  ///< empty = it was not signed
};

/// Whether a refusal of this code is known to pass.
bool is_passing_code(std::string_view code);

/// What a refusal means and what to do about it. Of the answer only its code and its own words are told, no secret.
Error s3_error(const S3Question& question, const HttpResponse& response);

}  // namespace tipple::io
