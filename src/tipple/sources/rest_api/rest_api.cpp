#include <algorithm>
#include <filesystem>
#include <map>

#include "tipple/core/hash.h"
#include "tipple/core/limits.h"
#include "tipple/core/random.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"
#include "tipple/io/url.h"
#include "tipple/sources/builtin.h"
#include "tipple/sources/rest_api/auth.h"
#include "tipple/sources/rest_api/options.h"
#include "tipple/sources/rest_api/probe.h"
#include "tipple/sources/rest_api/resource_reader.h"

namespace tipple::sources {

namespace rest {

namespace {

/// The member of a resource's state that keeps where its records were found.
constexpr std::string_view selector_member = "rest_api_select";
/// The member that keeps parents whose requests failed.
constexpr std::string_view failed_parents_member = "rest_api_failed_parents";
/// The member that keeps the cursors of a resource that has one for each parent's record.
constexpr std::string_view parent_cursors_member = "rest_api_parent_cursors";

/// Takes what is read of a parent that is not loaded itself.
class NoOutput final : public extract::Output {
public:
    explicit NoOutput(extract::Output& child) : child_(child) {}
    void write(extract::Page) override {}
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override {}
    void skip(const extract::SkippedText& skipped) override { child_.skip(skipped); }
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void report(const extract::ReadProgress& progress) override { child_.report(progress); }
    void count(std::string_view metric, std::int64_t by) override { child_.count(metric, by); }
    bool wants_more() const override { return child_.wants_more(); }

private:
    extract::Output& child_;
};

/// An API that is described by settings.
class RestApiSource final : public extract::SourceDriver {
public:
    explicit RestApiSource(const extract::SourceContext& context)
        : api_(read_settings(context)), log_(context.log), files_(io::local_file_system()), client_(io::make_http_client(api_.client)), token_client_(io::make_http_client(api_.client)) {
        session_.emplace(*client_, api_.session, clock_, io::HttpSession::random_chance(), api_.redactor, log_);
        add_authorizer(api_.auth);
        for (const ResourceSettings& resource : api_.resources) {
            if (resource.auth) add_authorizer(*resource.auth);
        }
    }

    std::string name() const override { return "rest_api"; }

    std::vector<extract::ResourceSpec> resources(std::stop_token) override {
        // A run begins: what another one has kept is gone.
        kept_.clear();
        run_start_us_ = clock_.now_us();
        std::vector<extract::ResourceSpec> specs;
        for (const ResourceSettings& resource : api_.resources) {
            if (!resource.is_loaded) continue;
            extract::ResourceSpec spec;
            spec.name = resource.name;
            spec.has_parent = !resource.parent.empty();
            if (spec.has_parent) spec.depends.push_back(resource.parent);
            spec.is_linked = !resource.parent.empty() || !paths_of_children(resource.name).empty();
            if (!resource.newest_field.empty()) spec.columns.emplace_back(resource.newest_field, json::Object{{"dedup_sort", resource.newest_is_least ? "asc" : "desc"}});
            specs.push_back(std::move(spec));
        }
        return specs;
    }

    void read(const extract::ResourceSpec& spec, const extract::ResourceContext& context, extract::Output& out) override {
        const ResourceSettings& resource = api_.find(spec.name);
        const bool has_order = spec.incremental && spec.incremental->row_order != incremental::RowOrder::none;
        if (!resource.parent.empty() && has_order && spec.incremental->scope == incremental::Scope::resource) {
            throw Error(ErrorKind::usage, "resource \"{}\": its records come parent by parent, so their cursor has no order; leave \"order\" out, or give each parent a cursor of its "
                                          "own (scope = \"parent\")",
                        spec.name);
        }
        const std::uint64_t requests_before = session_->requests_sent();
        require_parents(resource, context, out);
        read_one(spec, context, out, Role::loaded, UINT64_MAX);
        out.count("requests", static_cast<std::int64_t>(session_->requests_sent() - requests_before));
    }

    std::string probe(const extract::ResourceSpec& spec, const extract::ProbeContext& probing) override {
        const TemporaryFolder folder;
        kept_.clear();
        run_start_us_ = clock_.now_us();
        const extract::ResourceContext context{.stop = probing.stop, .page_bytes = limits::page_bytes, .memory_bytes = limits::memory_default, .temp_folder = folder.path()};
        const ResourceSettings& resource = api_.find(spec.name);
        CollectingOutput out;
        require_parents(resource, context, out, 1);
        const Finding finding = read_one(spec, context, out, Role::parent_only, 1);
        kept_.clear();
        std::vector<std::string> parts = {counted(out.records().size(), "record")};
        const PaginatorSpec::Kind kind = resource.paginator.value_or(api_.paginator).kind;
        if (kind == PaginatorSpec::Kind::automatic) parts.push_back(fmt::format("paginator {} (found out)", finding.paginator.empty() ? "not known yet" : finding.paginator));
        if (resource.select) {
            parts.push_back(fmt::format("select \"{}\"", resource.select->text()));
        } else {
            parts.push_back(fmt::format("select \"{}\" (found out)", finding.selector.path ? finding.selector.path->text() : "$"));
        }
        if (out.records().empty()) return join(parts, "; ");
        parts.push_back("fields " + describe_fields(out.records()));
        if (const std::string key = suggest_key(out.records()); !key.empty() && spec.primary_key.empty()) parts.push_back(fmt::format("primary_key could be \"{}\"", key));
        if (const std::string cursor = suggest_cursor(out.records()); !cursor.empty() && !spec.incremental) parts.push_back(fmt::format("cursor could be \"{}\"", cursor));
        return join(parts, "; ");
    }

private:
    /// A folder that is gone afterwards.
    class TemporaryFolder {
    public:
        TemporaryFolder() {
            std::error_code failed;
            const std::filesystem::path folder = std::filesystem::temp_directory_path(failed);
            path_ = (failed ? std::filesystem::path("/tmp") : folder) / ("tipple-" + to_hex(random_bytes(8)));
        }
        ~TemporaryFolder() {
            std::error_code ignored;
            std::filesystem::remove_all(path_, ignored);
        }
        TemporaryFolder(const TemporaryFolder&) = delete;
        TemporaryFolder& operator=(const TemporaryFolder&) = delete;
        std::string path() const { return path_.string(); }

    private:
        std::filesystem::path path_;
    };

    /// What reading has found out.
    struct Finding {
        std::string paginator;
        Selector selector;
    };

    /// One per way to be authorized; what tokens are asked for with is its own.
    struct Authorizer {
        std::unique_ptr<io::HttpSession> tokens;
        std::unique_ptr<io::HttpAuthorizer> authorizer;
    };

    void add_authorizer(const AuthSpec& spec) {
        io::HttpSessionOptions options{.retry = api_.session.retry, .redirects_max = 0, .allowed_origins = {io::url_origin(spec.token_url)}};
        options.retry.methods.emplace_back("POST");
        Authorizer entry;
        entry.tokens = std::make_unique<io::HttpSession>(*token_client_, std::move(options), clock_, io::HttpSession::random_chance(), api_.redactor, log_);
        entry.authorizer = make_authorizer(spec, {.session = *entry.tokens, .clock = clock_, .redactor = api_.redactor});
        authorizers_[&spec] = std::move(entry);
    }

    io::HttpAuthorizer* authorizer_of(const ResourceSettings& resource) const { return authorizers_.at(resource.auth ? &*resource.auth : &api_.auth).authorizer.get(); }

    /// What the resource's children need of its records.
    std::vector<std::string> paths_of_children(const std::string& name) const {
        std::vector<std::string> paths;
        for (const ResourceSettings& child : api_.resources) {
            if (child.parent != name) continue;
            for (std::string& path : child.parent_paths()) {
                if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
            }
        }
        return paths;
    }

    /// Parents are read before their children, so one whose records are not there is one that the run does not load.
    void require_parents(const ResourceSettings& resource, const extract::ResourceContext& context, extract::Output& out, std::uint64_t pages_max = UINT64_MAX) {
        if (resource.parent.empty() || kept_.contains(resource.parent)) return;
        const ResourceSettings& parent = api_.find(resource.parent);
        require_parents(parent, context, out, pages_max);
        extract::ResourceSpec spec;
        spec.name = parent.name;
        spec.where = parent.where;
        spec.records_max = parent.records_max;
        NoOutput none(out);
        read_one(spec, context, none, Role::parent_only, pages_max);
    }

    /// What `context` has of cursor and state belongs to the resource that is loaded.
    enum class Role { loaded, parent_only };

    Finding read_one(const extract::ResourceSpec& spec, const extract::ResourceContext& context, extract::Output& out, Role role, std::uint64_t pages_max) {
        const ResourceSettings& resource = api_.find(spec.name);
        const json::Object* state = context.state != nullptr ? context.state->find_resource(spec.name) : nullptr;
        Selector selector{.path = resource.select};
        const json::Value* remembered = state != nullptr ? state->find(selector_member) : nullptr;
        if (!selector.path && remembered != nullptr && remembered->is_text()) selector.path = json::Path::parse(remembered->as_text(), json::Path::Dialect::full);
        ReadJob job{.api = api_, .resource = resource, .session = *session_, .authorizer = authorizer_of(resource), .selector = selector};
        job.scope.run_start_us = run_start_us_;
        if (role == Role::loaded && context.cursor != nullptr) {
            job.scope.cursor_start = context.cursor->start();
            job.scope.cursor_end = context.cursor->end();
        } else if (spec.incremental) {
            // A probe has no cursor yet: it asks as the first run will.
            job.scope.cursor_start = spec.incremental->initial_value;
            job.scope.cursor_end = spec.incremental->end_value;
        }
        std::optional<ParentCursors> cursors;
        if (spec.incremental && spec.incremental->scope == incremental::Scope::parent && !resource.parent.empty()) {
            const json::Value* before = role == Role::loaded && state != nullptr ? state->find(parent_cursors_member) : nullptr;
            job.cursors = &cursors.emplace(spec, before != nullptr && before->is_object() ? &before->as_object() : nullptr);
        }
        if (!resource.parent.empty()) job.parents = &kept_.at(resource.parent);
        const json::Value* failed_before = role == Role::loaded && state != nullptr ? state->find(failed_parents_member) : nullptr;
        if (failed_before != nullptr && failed_before->is_array()) job.parents_to_repeat = failed_before->as_array();
        job.page_bytes = context.page_bytes;
        job.ahead_bytes_max = context.memory_bytes / 4;
        job.pages_max = pages_max;
        job.stop = context.stop;
        job.log = log_;
        job.kept_paths = paths_of_children(spec.name);
        std::optional<KeptRecords> kept;
        ParentRecords* records = nullptr;
        if (!job.kept_paths.empty()) {
            const std::string path = io::join_path(context.temp_folder, fmt::format("parents-{}", kept_.size()));
            records = &kept_.try_emplace(spec.name, *files_, path, job.kept_paths).first->second;
            job.kept = &kept.emplace(*records, spec, state);
        }
        ResourceReader reader(std::move(job), out);
        reader.read();
        if (records != nullptr) records->close();
        if (selector.is_guessed && role == Role::loaded) context.state->resource().set(selector_member, selector.path->text());
        if (role == Role::loaded && cursors) context.state->resource().set(parent_cursors_member, cursors->state());
        if (role == Role::loaded) {
            json::Array failed = reader.failed_parents();
            if (failed_before != nullptr) context.state->resource().erase(failed_parents_member);
            if (!failed.empty()) context.state->resource().set(failed_parents_member, std::move(failed));
        }
        return {.paginator = reader.paginator_finding(), .selector = selector};
    }

    ApiSettings api_;
    Log log_;
    SystemClock clock_;
    std::unique_ptr<io::FileSystem> files_;
    std::unique_ptr<io::HttpClient> client_;
    std::unique_ptr<io::HttpClient> token_client_;
    std::optional<io::HttpSession> session_;
    std::map<const AuthSpec*, Authorizer> authorizers_;
    std::map<std::string, ParentRecords> kept_;
    std::int64_t run_start_us_ = 0;
};

}  // namespace

}  // namespace rest

extract::SourceEntry rest_api_source() {
    return {.name = "rest_api",
            .summary = "A REST API that answers with JSON, described in the project file.",
            .options = rest::source_option_specs(),
            .resource_options = rest::resource_option_specs(),
            .takes_disabled_resources = true,
            .make = [](const extract::SourceContext& context) -> std::unique_ptr<extract::SourceDriver> {
                return std::make_unique<rest::RestApiSource>(context);
            }};
}

}  // namespace tipple::sources
