#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/io/object_store.h"

/// What object stores say and want to hear in XML. Alone names pugixml.
namespace tipple::io {

/// Why a request was refused. Empty members where the answer does not say.
struct S3Refusal {
    std::string code;
    std::string message;
    std::string region;  ///< where the bucket is
};

/// Reads the body of a refusal, whatever it is; one that is no such XML gives no code.
S3Refusal parse_s3_refusal(std::string_view body);

/// One page of a listing.
struct S3Page {
    std::vector<ObjectInfo> objects;
    std::string next_token;  ///< empty = this was the last one
};

/// Placeholders of folders are left out. Throws Error(remote) for a body that is no such page.
S3Page parse_s3_page(std::string_view body);

/// The id of an upload in parts that was begun. Throws Error(remote).
std::string parse_s3_upload_id(std::string_view body);

/// An upload in parts that was neither ended nor taken back.
struct S3UnfinishedUpload {
    std::string key;
    std::string id;
};
struct S3UploadsPage {
    std::vector<S3UnfinishedUpload> uploads;
    /// Where the next page begins; no key = this was the last one.
    std::string next_key;
    std::string next_id;
};
/// Throws Error(remote) for a body that is no such page.
S3UploadsPage parse_s3_uploads(std::string_view body);

/// What ends an upload in parts: the ETags of its parts in their order.
std::string s3_completion(const std::vector<std::string>& etags);
/// Whether the answer to it says that the object is there.
bool is_s3_completion_result(std::string_view body);

/// Temporary credentials that a token service gave, as texts.
struct StsCredentials {
    std::string access_key_id;
    std::string secret_access_key;
    std::string session_token;
    std::string expiration;
};
/// Throws Error(remote).
StsCredentials parse_sts_credentials(std::string_view body);

}  // namespace tipple::io
