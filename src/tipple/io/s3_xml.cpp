#include "tipple/io/s3_xml.h"

#include <algorithm>
#include <charconv>

#include <pugixml.hpp>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/http_headers.h"
#include "tipple/io/http_retry.h"
#include "tipple/io/url.h"

namespace tipple::io {

namespace {

/// The document's first element, which must have this name.
pugi::xml_node require_root(pugi::xml_document& document, std::string_view body, const char* name) {
    const pugi::xml_parse_result result = document.load_buffer(body.data(), body.size());
    const pugi::xml_node root = document.document_element();
    if (!result || std::string_view(root.name()) != name) {
        throw Error(ErrorKind::remote, "the answer is no <{}>, so this may be no object store: \"{}\"", name, excerpt(body));
    }
    return root;
}

/// As keys come in pages of type `url`: spaces may be `+`.
std::string decoded(std::string text, bool is_encoded) {
    if (!is_encoded) return text;
    std::replace(text.begin(), text.end(), '+', ' ');
    return percent_decode(text);
}

bool is_encoded(const pugi::xml_node& root) { return std::string_view(root.child_value("EncodingType")) == "url"; }

}  // namespace

S3Refusal parse_s3_refusal(std::string_view body) {
    pugi::xml_document document;
    if (!document.load_buffer(body.data(), body.size())) return {};
    pugi::xml_node root = document.document_element();
    // Token services put it into another one.
    if (const pugi::xml_node inner = root.child("Error")) root = inner;
    if (std::string_view(root.name()) != "Error") return {};
    return {.code = root.child_value("Code"), .message = root.child_value("Message"), .region = root.child_value("Region")};
}

S3Page parse_s3_page(std::string_view body) {
    pugi::xml_document document;
    const pugi::xml_node root = require_root(document, body, "ListBucketResult");
    S3Page page;
    for (const pugi::xml_node entry : root.children("Contents")) {
        ObjectInfo object{.key = decoded(entry.child_value("Key"), is_encoded(root)), .etag = without_quotes(entry.child_value("ETag"))};
        const std::string_view size = entry.child_value("Size");
        const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), object.size);
        if (error != std::errc() || end != size.data() + size.size()) throw Error(ErrorKind::remote, "the listing has no size of object \"{}\"", excerpt(object.key));
        if (object.key.ends_with('/') && object.size == 0) continue;
        // Whole seconds, as heads of answers have them.
        const std::optional<std::int64_t> modified_us = parse_iso_time_us(entry.child_value("LastModified"));
        if (modified_us) object.modified_ns = *modified_us / 1'000'000 * 1'000'000'000;
        page.objects.push_back(std::move(object));
    }
    if (std::string_view(root.child_value("IsTruncated")) != "true") return page;
    page.next_token = root.child_value("NextContinuationToken");
    if (page.next_token.empty()) throw Error(ErrorKind::remote, "the listing is cut off and does not say how it goes on");
    return page;
}

std::string parse_s3_upload_id(std::string_view body) {
    pugi::xml_document document;
    std::string id = require_root(document, body, "InitiateMultipartUploadResult").child_value("UploadId");
    if (id.empty()) throw Error(ErrorKind::remote, "the upload in parts that was begun has no id");
    return id;
}

S3UploadsPage parse_s3_uploads(std::string_view body) {
    pugi::xml_document document;
    const pugi::xml_node root = require_root(document, body, "ListMultipartUploadsResult");
    S3UploadsPage page;
    for (const pugi::xml_node entry : root.children("Upload")) {
        page.uploads.push_back({.key = decoded(entry.child_value("Key"), is_encoded(root)), .id = entry.child_value("UploadId")});
    }
    if (std::string_view(root.child_value("IsTruncated")) != "true") return page;
    page.next_key = decoded(root.child_value("NextKeyMarker"), is_encoded(root));
    page.next_id = root.child_value("NextUploadIdMarker");
    if (page.next_key.empty()) throw Error(ErrorKind::remote, "the listing of unfinished uploads is cut off and does not say how it goes on");
    return page;
}

std::string s3_completion(const std::vector<std::string>& etags) {
    std::string text = "<CompleteMultipartUpload>";
    // Hexadecimal digits between quotes, which have no other meaning here.
    for (std::size_t i = 0; i < etags.size(); ++i) text += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag></Part>", i + 1, etags[i]);
    return text + "</CompleteMultipartUpload>";
}

bool is_s3_completion_result(std::string_view body) {
    pugi::xml_document document;
    return document.load_buffer(body.data(), body.size()) && std::string_view(document.document_element().name()) == "CompleteMultipartUploadResult";
}

StsCredentials parse_sts_credentials(std::string_view body) {
    pugi::xml_document document;
    const pugi::xml_node root = require_root(document, body, "AssumeRoleWithWebIdentityResponse");
    const pugi::xml_node found = root.child("AssumeRoleWithWebIdentityResult").child("Credentials");
    StsCredentials credentials{.access_key_id = found.child_value("AccessKeyId"),
                               .secret_access_key = found.child_value("SecretAccessKey"),
                               .session_token = found.child_value("SessionToken"),
                               .expiration = found.child_value("Expiration")};
    if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) throw Error(ErrorKind::remote, "the token service gave no credentials");
    return credentials;
}

}  // namespace tipple::io
