#include "tipple/store/aws_credentials.h"

#include <mutex>
#include <optional>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/http_retry.h"
#include "tipple/io/http_session.h"
#include "tipple/io/s3_xml.h"
#include "tipple/io/url.h"
#include "tipple/json/value.h"
#include "tipple/store/aws_profile.h"

namespace tipple::store {

namespace {

using std::chrono::milliseconds;

/// A key is renewed so long before it ends.
constexpr std::int64_t renewal_us = std::int64_t{300} * 1'000'000;
/// How long one that still holds is used without another try to renew it.
constexpr std::int64_t renewal_pause_us = std::int64_t{30} * 1'000'000;
constexpr const char* machine_service = "http://169.254.169.254";
constexpr const char* machine_service_name = "the machine's service of credentials";
constexpr const char* container_service = "http://169.254.170.2";

struct Found {
    io::AccessKey key;
    std::optional<std::int64_t> ends_us;
};

class AmbientCredentials final : public io::S3Credentials {
public:
    explicit AmbientCredentials(AmbientOptions options) : options_(std::move(options)) {}

    std::optional<io::AccessKey> key(const std::stop_token& stop) override {
        const std::lock_guard lock(mutex_);
        const std::int64_t now = options_.clock->now_us();
        const auto ends_within = [&](std::int64_t time_us) { return !found_ || is_refused_ || (found_->ends_us && now + time_us > *found_->ends_us); };
        if (!ends_within(renewal_us) || (!ends_within(0) && now < next_renewal_us_)) return found_->key;
        next_renewal_us_ = now + renewal_pause_us;
        try {
            found_ = look_up(stop);
            is_refused_ = false;
        } catch (const Error& error) {
            if (ends_within(0) || error.kind() == ErrorKind::cancelled) throw;
            options_.log.warning("credentials for object stores end soon and cannot be renewed: {}", error.what());
        }
        return found_->key;
    }

    bool renew(const std::string& refused_token) override {
        const std::lock_guard lock(mutex_);
        // Another thread may have been faster.
        if (found_ && found_->key.session_token == refused_token) is_refused_ = true;
        return true;
    }

private:
    Found look_up(const std::stop_token& stop) const {
        const io::Variables& variables = options_.variables;
        if (options_.profile.empty()) {
            const std::optional<std::string> id = variables("AWS_ACCESS_KEY_ID");
            const std::optional<std::string> secret = variables("AWS_SECRET_ACCESS_KEY");
            if (id.has_value() != secret.has_value()) {
                throw Error(ErrorKind::usage, "{} is set and {} is not: both make an access key", id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                            id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
            }
            if (id) return {.key = {.id = *id, .secret = *secret, .session_token = variables("AWS_SESSION_TOKEN").value_or("")}, .ends_us = {}};
        }
        if (std::optional<Found> found = of_profile()) return *std::move(found);
        if (options_.profile.empty()) {
            for (const auto look : {&AmbientCredentials::of_web_identity, &AmbientCredentials::of_container, &AmbientCredentials::of_machine}) {
                if (std::optional<Found> found = (this->*look)(stop)) return *std::move(found);
            }
        }
        throw Error(ErrorKind::usage,
                    "no credentials for object stores were found: give access_key_id and secret_access_key, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, "
                    "or say anonymous = true for a bucket that is open to everybody");
    }

    std::optional<Found> of_profile() const {
        const AwsProfile profile = AwsProfile::read(*options_.files, options_.variables, options_.profile);
        const std::optional<std::string> id = profile.find("aws_access_key_id");
        const std::optional<std::string> secret = profile.find("aws_secret_access_key");
        if (id && secret) return Found{.key = {.id = *id, .secret = *secret, .session_token = profile.find("aws_session_token").value_or("")}, .ends_us = {}};
        for (const char* setting : {"credential_process", "role_arn", "sso_session", "sso_start_url"}) {
            if (!profile.find(setting)) continue;
            throw Error(ErrorKind::usage, "profile \"{}\" gets its credentials by {}, which only AWS's own tools do: eval \"$(aws configure export-credentials --profile {} --format env)\"",
                        profile.name(), setting, profile.name());
        }
        return std::nullopt;
    }

    /// Of a role that a token of Kubernetes, or of another issuer, stands for.
    std::optional<Found> of_web_identity(const std::stop_token& stop) const {
        const std::optional<std::string> file = options_.variables("AWS_WEB_IDENTITY_TOKEN_FILE");
        const std::optional<std::string> role = options_.variables("AWS_ROLE_ARN");
        if (!file || !role) return std::nullopt;
        const std::string endpoint = options_.variables("AWS_ENDPOINT_URL_STS").value_or(fmt::format("https://sts.{}.amazonaws.com", options_.region));
        std::string token = options_.files->read_text(*file);
        while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
        const std::string form = io::form_encode({{"Action", "AssumeRoleWithWebIdentity"},
                                                  {"Version", "2011-06-15"},
                                                  {"RoleArn", *role},
                                                  {"RoleSessionName", options_.variables("AWS_ROLE_SESSION_NAME").value_or("tipple")},
                                                  {"WebIdentityToken", token}});
        const io::HttpResponse response =
            require({.method = "POST", .url = endpoint + "/", .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}, .body = form}, "the token service", milliseconds(10'000), stop);
        const io::StsCredentials sts = io::parse_sts_credentials(response.body);
        return Found{.key = {.id = sts.access_key_id, .secret = sts.secret_access_key, .session_token = sts.session_token}, .ends_us = io::parse_iso_time_us(sts.expiration)};
    }

    std::optional<Found> of_container(const std::stop_token& stop) const {
        std::optional<std::string> url = options_.variables("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        if (const std::optional<std::string> path = options_.variables("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) url = container_service + *path;
        if (!url) return std::nullopt;
        io::HttpRequest request{.url = *url};
        std::string token = options_.variables("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
        if (const std::optional<std::string> file = options_.variables("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) token = options_.files->read_text(*file);
        while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
        if (!token.empty()) request.headers.push_back({"Authorization", token});
        return found_in(require(std::move(request), "the container's service of credentials", milliseconds(10'000), stop).body);
    }

    /// Of a machine at AWS; anywhere else nobody answers.
    std::optional<Found> of_machine(const std::stop_token& stop) const {
        if (lower(options_.variables("AWS_EC2_METADATA_DISABLED").value_or("")) == "true") return std::nullopt;
        const std::string service = options_.variables("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(machine_service);
        const std::string roles = service + "/latest/meta-data/iam/security-credentials/";
        constexpr milliseconds patience{1'000};
        const io::HttpExchange session = send({.method = "PUT", .url = service + "/latest/api/token", .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}, .body = ""}, patience, stop);
        // Who gave a key before is there, though he may not answer for now.
        if (session.error && !found_) return std::nullopt;
        if (is_missing(session)) return std::nullopt;
        const io::HttpHeaders headers = {{"X-aws-ec2-metadata-token", session.response.body}};
        const io::HttpExchange role = send({.url = roles, .headers = headers}, patience, stop);
        if (is_missing(role)) return std::nullopt;
        const std::string name = role.response.body.substr(0, role.response.body.find('\n'));
        return found_in(require({.url = roles + name, .headers = headers}, machine_service_name, patience, stop).body);
    }

    /// Whether the machine's service is none that knows this question. Throws Error(transient) when it may answer another time.
    static bool is_missing(const io::HttpExchange& exchange) {
        if (exchange.error) throw exchange.error->with_context(machine_service_name);
        if (exchange.response.status >= 500) throw Error(ErrorKind::transient, "{} does not answer as it should for now: {}", machine_service_name, exchange.response.status);
        return exchange.response.status >= 300;
    }

    static Found found_in(const std::string& body) {
        json::Value document;
        const auto text = [&](std::string_view name) {
            const json::Value* value = document.as_object().find(name);
            return value != nullptr && value->is_text() ? value->as_text() : std::string();
        };
        const bool is_object = json::try_parse(body, document) && document.is_object();
        if (!is_object || text("AccessKeyId").empty() || text("SecretAccessKey").empty()) throw Error(ErrorKind::remote, "a service of credentials gave none");
        return {.key = {.id = text("AccessKeyId"), .secret = text("SecretAccessKey"), .session_token = text("Token")}, .ends_us = io::parse_iso_time_us(text("Expiration"))};
    }

    io::HttpExchange send(io::HttpRequest request, milliseconds patience, const std::stop_token& stop) const {
        // Services of this machine are behind no proxy.
        io::HttpClientOptions client_options{.connect_timeout = patience, .first_byte_timeout = patience * 5, .idle_timeout = patience * 5};
        if (request.url.starts_with("http://")) client_options.proxy = "";
        const std::unique_ptr<io::HttpClient> client = io::make_http_client(client_options);
        const io::Redactor redactor;
        io::HttpSessionOptions session_options{.retry = {.attempts = 2, .base = milliseconds(100), .methods = {"GET", "PUT", "POST"}}, .allowed_origins = {io::url_origin(request.url)}};
        io::HttpSession session(*client, std::move(session_options), *options_.clock, io::HttpSession::random_chance(), redactor, options_.log);
        return session.send({.request = std::move(request)}, stop);
    }

    io::HttpResponse require(io::HttpRequest request, std::string_view what, milliseconds patience, const std::stop_token& stop) const {
        io::HttpExchange exchange = send(std::move(request), patience, stop);
        if (exchange.error) throw exchange.error->with_context(std::string(what));
        if (exchange.response.status < 300) return std::move(exchange.response);
        const io::S3Refusal refusal = io::parse_s3_refusal(exchange.response.body);
        const ErrorKind kind = exchange.response.status >= 500 ? ErrorKind::transient : ErrorKind::usage;
        throw Error(kind, "{} refuses: {} {} {}", what, exchange.response.status, refusal.code, excerpt(refusal.message, 300));
    }

    const AmbientOptions options_;
    std::mutex mutex_;
    std::optional<Found> found_;
    /// The store takes that one no more.
    bool is_refused_ = false;
    std::int64_t next_renewal_us_ = 0;
};

}  // namespace

std::shared_ptr<io::S3Credentials> ambient_credentials(AmbientOptions options) { return std::make_shared<AmbientCredentials>(std::move(options)); }

}  // namespace tipple::store
