#include "tipple/store/open_store.h"

#include <filesystem>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/http_store.h"
#include "tipple/io/s3_store.h"
#include "tipple/io/url.h"
#include "tipple/store/aws_credentials.h"
#include "tipple/store/aws_profile.h"

namespace tipple::store {

namespace {

constexpr std::string_view scheme_end = "://";

/// In small letters; empty when the text is no URL.
std::string scheme_of(std::string_view text) {
    const std::size_t end = text.find(scheme_end);
    if (end == std::string_view::npos || end == 0) return {};
    std::string scheme = lower(text.substr(0, end));
    const bool is_scheme = scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+.-") == std::string::npos;
    return is_scheme ? scheme : std::string();
}

Location open_path(std::string_view path, const StoreContext& context) {
    if (path.empty()) throw Error(ErrorKind::usage, "an empty path was given");
    const std::string absolute = std::filesystem::absolute(path).lexically_normal().string();
    return {.store = io::folder_store(*context.files, "/"), .key = absolute.substr(1)};
}

/// `file:///path`, or `file://localhost/path`.
std::string path_of_url(std::string_view url) {
    std::string_view rest = url.substr(url.find(scheme_end) + scheme_end.size());
    constexpr std::string_view this_host = "localhost";
    if (rest.starts_with(this_host)) rest.remove_prefix(this_host.size());
    if (!rest.starts_with('/')) throw Error(ErrorKind::usage, "\"{}\" names another host: files of this machine are file:///path", excerpt(url));
    return io::percent_decode(rest);
}

/// `s3` and `gs`, by any name that people know them by.
std::string_view bucket_scheme(std::string_view scheme) {
    if (scheme == "s3" || scheme == "s3a" || scheme == "s3n") return "s3";
    return scheme == "gs" || scheme == "gcs" ? "gs" : "";
}

bool is_true(const config::Options& options, std::string_view name) { return options.find(name) == "true"; }

std::string text_of(const config::Options& options, std::string_view name) { return options.find(name).value_or(""); }

io::BucketStyle style_of(const config::Options& options) {
    const std::string text = text_of(options, "url_style");
    if (text.empty() || text == "auto") return io::BucketStyle::automatic;
    if (text == "path") return io::BucketStyle::path;
    if (text == "virtual" || text == "vhost") return io::BucketStyle::virtual_host;
    throw Error(ErrorKind::usage, "option \"url_style\" must be auto, path or virtual, not \"{}\"", excerpt(text));
}

io::HttpClientOptions client_options(const config::Options& options, const io::Variables& variables, io::HttpClientOptions client) {
    client.ca_file = text_of(options, "ca_file");
    if (client.ca_file.empty()) client.ca_file = variables("AWS_CA_BUNDLE").value_or("");
    return client;
}

/// The keys that options hold; nothing when they hold none.
std::optional<io::AccessKey> given_key(const config::Options& options) {
    io::AccessKey key{.id = text_of(options, "access_key_id"), .secret = text_of(options, "secret_access_key"), .session_token = text_of(options, "session_token")};
    if (key.id.empty() && key.secret.empty()) return std::nullopt;
    if (key.id.empty() || key.secret.empty()) {
        throw Error(ErrorKind::usage, "option \"{}\" is missing: an access key is access_key_id and secret_access_key", key.id.empty() ? "access_key_id" : "secret_access_key");
    }
    return key;
}

/// What of AWS's settings counts when no option says so.
struct Ambient {
    std::string region;
    std::string endpoint;
};

Ambient ambient_of(const config::Options& options, const io::Variables& variables, const StoreContext& context) {
    const std::string profile_name = text_of(options, "profile");
    const AwsProfile profile = AwsProfile::read(*context.files, variables, profile_name);
    const auto first = [&](std::initializer_list<const char*> names, const char* setting) {
        if (!profile_name.empty()) {
            if (const std::optional<std::string> value = profile.find(setting)) return *value;
        }
        for (const char* name : names) {
            if (const std::optional<std::string> value = variables(name)) return *value;
        }
        return profile.find(setting).value_or("");
    };
    return {.region = first({"AWS_REGION", "AWS_DEFAULT_REGION"}, "region"), .endpoint = first({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}, "endpoint_url")};
}

std::string or_else(std::string text, const std::string& other) { return text.empty() ? other : text; }

struct Bucket {
    io::S3Options options;
    std::shared_ptr<io::S3Credentials> credentials;
};

Bucket amazon(io::S3Options s3, const config::Options& options, const io::Variables& variables, const StoreContext& context) {
    const Ambient ambient = ambient_of(options, variables, context);
    s3.endpoint = or_else(text_of(options, "endpoint"), ambient.endpoint);
    s3.region = or_else(or_else(text_of(options, "region"), ambient.region), s3.region);
    if (is_true(options, "anonymous")) return {std::move(s3), io::fixed_credentials(std::nullopt)};
    if (const std::optional<io::AccessKey> key = given_key(options)) return {std::move(s3), io::fixed_credentials(key)};
    AmbientOptions found{.profile = text_of(options, "profile"), .region = s3.region, .variables = variables, .files = context.files, .clock = context.clock, .log = context.log};
    return {std::move(s3), ambient_credentials(std::move(found))};
}

Bucket google(io::S3Options s3, const config::Options& options) {
    s3.dialect = io::SignatureDialect::google;
    s3.endpoint = or_else(text_of(options, "endpoint"), "https://storage.googleapis.com");
    s3.region = or_else(text_of(options, "region"), "auto");
    std::optional<io::AccessKey> key = given_key(options);
    if (!key && !is_true(options, "anonymous")) {
        throw Error(ErrorKind::usage,
                    "gs://{}: options access_key_id and secret_access_key are missing: an HMAC key of Google Cloud Storage (Settings, Interoperability), or say anonymous = true",
                    s3.bucket);
    }
    return {std::move(s3), io::fixed_credentials(std::move(key))};
}

}  // namespace

std::vector<config::OptionSpec> option_specs() {
    using config::OptionKind;
    std::vector<config::OptionSpec> specs = {
        {.name = "access_key_id", .summary = "Of an object store; AWS's variables, files and services are looked at when it is not given.", .reference_name = "aws_access_key_id"},
        {.name = "secret_access_key", .summary = "Belongs to access_key_id.", .kind = OptionKind::secret, .reference_name = "aws_secret_access_key"},
        {.name = "session_token", .summary = "Belongs to an access key that is temporary.", .kind = OptionKind::secret, .reference_name = "aws_session_token"},
        {.name = "profile", .summary = "Of AWS's files of settings and credentials.", .reference_name = "profile_name"},
        {.name = "anonymous", .summary = "true = requests to object stores are not signed.", .kind = OptionKind::boolean},
        {.name = "region", .summary = "Of a bucket; where it really is is found out.", .reference_name = "region_name"},
        {.name = "endpoint", .summary = "Of a store that is not AWS's: http:// or https:// and a host.", .reference_name = "endpoint_url"},
        {.name = "url_style", .summary = "Where the bucket's name stands: auto, path, or virtual (in the host).", .reference_name = "s3_url_style"},
        {.name = "ca_file", .summary = "Certificates that sign those of the server, in PEM.", .kind = OptionKind::path}};
    for (config::OptionSpec& spec : specs) spec.block = "credentials";
    return specs;
}

bool is_bucket_url(std::string_view text) { return !bucket_scheme(scheme_of(text)).empty(); }

bool is_store_url(std::string_view text) { return scheme_of(text) == "file" || io::is_http_url(text) || is_bucket_url(text); }

BucketLocation open_bucket(std::string_view url, const config::Options& options, const StoreContext& context) {
    const std::string scheme(bucket_scheme(scheme_of(url)));
    if (scheme.empty()) throw Error(ErrorKind::usage, "\"{}\" names no bucket: that is s3://bucket/key or gs://bucket/key", excerpt(url));
    const std::string_view rest = url.substr(url.find(scheme_end) + scheme_end.size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const io::Variables variables = io::process_variables();
    io::S3Options s3{.scheme = scheme, .bucket = std::string(rest.substr(0, slash)), .style = style_of(options)};
    if (s3.bucket.empty() || s3.bucket.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != std::string::npos) {
        throw Error(ErrorKind::usage, "\"{}\" names no bucket: it is {}://bucket/key", excerpt(io::mask_url_secrets(std::string(url))), scheme);
    }
    s3.client = client_options(options, variables, s3.client);
    Bucket bucket = scheme == "gs" ? google(std::move(s3), options) : amazon(std::move(s3), options, variables, context);
    std::string key(rest.substr(std::min(slash + 1, rest.size())));
    std::string identity = fmt::format("{}://{}", scheme, bucket.options.bucket);
    if (!bucket.options.endpoint.empty()) identity += " at " + io::mask_url_secrets(bucket.options.endpoint);
    return {.store = io::s3_store(std::move(bucket.options), std::move(bucket.credentials), *context.clock, context.log), .key = std::move(key), .identity = std::move(identity)};
}

Location open_store(std::string_view text, const config::Options& options, const StoreContext& context) {
    const std::string scheme = scheme_of(text);
    if (scheme.empty()) return open_path(text, context);
    if (scheme == "file") return open_path(path_of_url(text), context);
    if (io::is_http_url(text)) {
        return {.store = io::http_store(client_options(options, io::process_variables(), {.total_timeout = std::chrono::hours(24)}), *context.clock, context.log), .key = std::string(text)};
    }
    if (is_bucket_url(text)) {
        BucketLocation bucket = open_bucket(text, options, context);
        return {.store = std::move(bucket.store), .key = std::move(bucket.key)};
    }
    throw Error(ErrorKind::usage, "files cannot be read from \"{}\": there are paths, file://, s3://, gs://, http:// and https://",
                excerpt(io::mask_url_secrets(std::string(text))));
}

}  // namespace tipple::store
