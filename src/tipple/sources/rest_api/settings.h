#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tipple/config/node.h"
#include "tipple/io/http_client.h"
#include "tipple/io/http_session.h"
#include "tipple/io/url.h"
#include "tipple/json/path.h"
#include "tipple/source/source.h"
#include "tipple/source/steps.h"
#include "tipple/sources/rest_api/template.h"

/// What the project file says of an API, read and checked. Plain data.
namespace tipple::sources::rest {

/// How the next page is asked for. Names and meanings are the reference's.
struct PaginatorSpec {
    enum class Kind { automatic, single_page, json_link, header_link, header_cursor, cursor, offset, page_number };
    Kind kind = Kind::automatic;
    /// Of json_link: the next URL; of cursor: its value.
    json::Path next_path = {};
    /// Of header_link: the relation; of header_cursor: the header.
    std::string header_key = {};
    /// Where cursor, offset or page number go: a parameter of the URL, or a dotted place in the JSON body.
    std::string param = {};
    bool is_in_body = false;
    std::string limit_param = {};
    bool is_limit_in_body = false;
    std::int64_t limit = 0;
    /// Of offset and page_number: the first value, and what counting begins with.
    std::int64_t first = 0;
    std::int64_t base = 0;
    /// A value that is not asked for, nor any behind it.
    std::optional<std::int64_t> maximum = {};
    std::optional<json::Path> total_path = {};
    /// It was written, so it must be there.
    bool needs_total = false;
    std::optional<json::Path> has_more_path = {};
    bool stops_after_empty_page = false;
};

struct AuthSpec {
    enum class Kind { none, bearer, basic, api_key, client_credentials, refresh_token, jwt_bearer };
    enum class Location { header, query };
    Kind kind = Kind::none;
    std::string token = {};  ///< of bearer; the key of api_key
    std::string username = {};
    std::string password = {};
    std::string name = {};  ///< of api_key
    Location location = Location::header;
    std::string token_url = {};
    std::string client_id = {};
    std::string client_secret = {};
    std::string refresh_token = {};
    std::string private_key = {};
    std::string private_key_password = {};
    std::string scope = {};
    std::string audience = {};
    /// Further members of the form that asks for a token.
    io::QueryParams request_data = {};
    std::chrono::seconds token_lifetime{3'600};
};

/// What is done with an answer of these statuses, or with this text in it.
struct ResponseRule {
    enum class Action {
        skip,   ///< nothing more is read of this parent (of the resource, when it has none); what came before stays
        stop,   ///< nothing more is read of the resource
        retry,  ///< it is sent again, within the budget
        fail,
        empty,  ///< the page has no records; the next one is asked for
    };
    std::vector<int> statuses = {};
    std::optional<std::string> content = {};
    Action action = Action::fail;

    bool matches(const io::HttpResponse& response) const;
};

/// A field of the parent's record that each of its records carries.
struct IncludedField {
    std::string path;
    std::string name;  ///< `_parent_path`
};

enum class OnNull { fail, skip };

struct ResourceSettings {
    std::string name;
    bool is_loaded = true;
    std::string parent = {};
    std::string method = "GET";
    Template path = {};
    /// As it was written, for messages.
    std::string path_text = {};
    std::vector<std::pair<std::string, ValueTemplate>> params = {};
    std::vector<std::pair<std::string, Template>> headers = {};
    std::optional<ValueTemplate> json = {};
    std::optional<ValueTemplate> form = {};
    std::optional<Template> body = {};
    std::optional<json::Path> select = {};
    std::optional<PaginatorSpec> paginator = {};
    std::optional<AuthSpec> auth = {};
    std::vector<IncludedField> include = {};
    std::vector<ResponseRule> rules = {};
    std::vector<extract::Step> steps = {};
    std::uint64_t pages_max = 0;  ///< 0 = no limit of its own
    /// What everybody can say of resources: it counts too where a resource is read for its children alone.
    std::shared_ptr<const extract::Condition> where = {};
    std::optional<std::uint64_t> records_max = {};
    OnNull on_null = OnNull::fail;
    /// What tells parents apart, when each has a cursor of its own: the parent's primary key, or where requests take from its record. Empty = they have none.
    std::vector<std::string> parent_key = {};
    std::uint64_t failed_parents_max = 0;
    /// The field of the cursor, when records are merged by key: what changes while pages are read comes twice, and the record that is further on counts.
    std::string newest_field = {};
    bool newest_is_least = false;

    /// Every path into a parent's record that requests are made of.
    std::vector<std::string> request_paths() const;
    /// Every path into a parent's record that requests, included fields and cursors need.
    std::vector<std::string> parent_paths() const;
};

struct ApiSettings {
    std::string base_url;
    std::vector<std::pair<std::string, std::string>> headers = {};
    AuthSpec auth = {};
    PaginatorSpec paginator = {};
    std::vector<ResponseRule> rules = {};
    std::size_t concurrency = 1;
    std::size_t response_bytes_max = std::size_t{64} << 20;
    io::HttpSessionOptions session = {};
    io::HttpClientOptions client = {};
    io::Redactor redactor = {};
    /// Parents before their children, else as they were written.
    std::vector<ResourceSettings> resources = {};

    const ResourceSettings& find(const std::string& name) const;
};

/// Reads the source's settings and those of its resources. Throws Error(usage) that names everything that is wrong, with file and line.
ApiSettings read_settings(const extract::SourceContext& context);

}  // namespace tipple::sources::rest
