#include "tipple/io/s3_errors.h"

#include <algorithm>
#include <array>

#include "tipple/core/text.h"
#include "tipple/io/s3_xml.h"

namespace tipple::io {

namespace {

constexpr std::array<std::string_view, 13> passing_codes = {"SlowDown",          "SlowDownRead",          "SlowDownWrite",   "InternalError",          "ServiceUnavailable",
                                                            "RequestTimeout",    "Throttling",            "ThrottlingException", "RequestLimitExceeded", "BandwidthLimitExceeded",
                                                            "OperationAborted",  "ConditionalRequestConflict", "ServerBusy"};

std::string who(const S3Question& question) {
    return question.access_key_id.empty() ? std::string("nobody signed the request") : fmt::format("it was signed with the access key {}", question.access_key_id);
}

Error access_denied(const S3Question& question) {
    if (question.access_key_id.empty()) {
        return Error(ErrorKind::usage, "{}: access denied; {}, and the bucket is not open to everybody: give credentials", question.url, who(question));
    }
    return Error(ErrorKind::usage, "{}: access denied; {}, which needs the right {} here. Without s3:ListBucket, an object that is not there is denied too", question.url,
                 who(question), question.right);
}

/// Codes by which a store says what the user has to change. Nothing for others.
std::optional<Error> usage_error(const S3Question& question, const S3Refusal& refusal) {
    const std::string& code = refusal.code;
    if (code == "NoSuchBucket") {
        return Error(ErrorKind::usage, "there is no bucket \"{}\" at {}: look at its name and at the endpoint", question.bucket, question.endpoint);
    }
    if (code == "InvalidBucketName") return Error(ErrorKind::usage, "\"{}\" is no name of a bucket: there are 3 to 63 small letters, digits, dots and hyphens", question.bucket);
    if (code == "NoSuchKey") return Error(ErrorKind::usage, "there is no object {}", question.url);
    if (code == "AccessDenied" || code == "AllAccessDisabled" || code == "AccountProblem") return access_denied(question);
    if (code == "InvalidAccessKeyId") {
        return Error(ErrorKind::usage, "{}: the store knows no access key {}: look at access_key_id, and at the endpoint; temporary keys need their session_token too", question.url,
                     question.access_key_id);
    }
    if (code == "SignatureDoesNotMatch") {
        return Error(ErrorKind::usage, "{}: the signature does not match: the secret_access_key is not that of access key {}", question.url, question.access_key_id);
    }
    if (code == "ExpiredToken" || code == "TokenRefreshRequired") {
        return Error(ErrorKind::usage, "{}: the session token of access key {} has expired: get new temporary credentials", question.url, question.access_key_id);
    }
    if (code == "InvalidToken") return Error(ErrorKind::usage, "{}: the session_token does not belong to access key {}", question.url, question.access_key_id);
    if (code == "RequestTimeTooSkewed") return Error(ErrorKind::usage, "{}: the clock of this machine differs from the store's by more than 15 minutes: set it", question.url);
    if (code == "AuthorizationHeaderMalformed" || code == "PermanentRedirect" || code == "TemporaryRedirect" || code == "IllegalLocationConstraintException") {
        const std::string named = refusal.region.empty() ? std::string() : fmt::format("; the store names {}", refusal.region);
        return Error(ErrorKind::usage, "{}: the bucket is not in region {}{}: give the region it is in, and its endpoint ({})", question.url, question.region, named,
                     refusal.message);
    }
    if (code == "InvalidObjectState") return Error(ErrorKind::usage, "{} is archived, and can be read only after it was restored", question.url);
    return std::nullopt;
}

}  // namespace

bool is_passing_code(std::string_view code) { return std::find(passing_codes.begin(), passing_codes.end(), code) != passing_codes.end(); }

Error s3_error(const S3Question& question, const HttpResponse& response) {
    const S3Refusal refusal = parse_s3_refusal(response.body);
    if (const std::optional<Error> error = usage_error(question, refusal)) return *error;
    const std::string reason = !refusal.code.empty() ? fmt::format("{}: {}", refusal.code, excerpt(refusal.message, 300)) : excerpt(response.body, 200);
    if (is_passing_code(refusal.code) || response.status >= 500 || response.status == 429) {
        if (response.status != 501) return Error(ErrorKind::transient, "{}: the store does not answer as it should for now ({} {})", question.url, response.status, reason);
    }
    if (response.status == 404) return Error(ErrorKind::usage, "there is no object {}, or no bucket \"{}\" at {}", question.url, question.bucket, question.endpoint);
    if (response.status == 403) return access_denied(question);
    if (response.status >= 300 && response.status < 400) {
        return Error(ErrorKind::usage, "{}: the store sends to another place ({}): look at endpoint, region and url_style", question.url, response.status);
    }
    return Error(ErrorKind::remote, "{}: {} is answered by {} {}", question.url, question.method, response.status, reason);
}

}  // namespace tipple::io
