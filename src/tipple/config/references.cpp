#include "tipple/config/references.h"

#include <optional>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::config {

namespace {

/// One `${kind:name:-default}`.
struct Reference {
    std::string kind;
    std::string name;
    std::optional<std::string> otherwise;
};

class Resolver {
public:
    Resolver(std::vector<std::string> path, const ReferenceContext& context, Problems& problems)
        : path_(std::move(path)), context_(context), problems_(problems) {}

    Node resolve(const Node& node) {
        Node result = node;
        for (auto& [name, member] : result.members) {
            path_.push_back(name);
            member = resolve(member);
            path_.pop_back();
        }
        for (Node& item : result.items) item = resolve(item);
        if (node.kind == Node::Kind::text) replace(result);
        return result;
    }

private:
    void replace(Node& node) {
        const std::string& text = node.value.as_text();
        std::string replaced;
        std::size_t at = 0;
        for (std::size_t start = text.find("${"); start != std::string::npos; start = text.find("${", at)) {
            const std::size_t end = text.find('}', start);
            if (end == std::string::npos) {
                problems_.add(node.place, fmt::format("\"{}\" begins a reference that does not end; it has the form ${{env:NAME}}", excerpt(text.substr(start))));
                return;
            }
            replaced += text.substr(at, start - at);
            const std::optional<std::string> value = look_up(parse(text.substr(start + 2, end - start - 2)), node.place);
            if (!value) return;
            replaced += *value;
            node.is_secret = true;
            at = end + 1;
        }
        if (at > 0) node.value = replaced + text.substr(at);
    }

    static Reference parse(const std::string& text) {
        Reference reference;
        const std::size_t colon = text.find(':');
        reference.kind = text.substr(0, colon);
        std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
        if (const std::size_t dash = rest.find(":-"); dash != std::string::npos) {
            reference.otherwise = rest.substr(dash + 2);
            rest.resize(dash);
        }
        reference.name = std::move(rest);
        return reference;
    }

    std::optional<std::string> look_up(const Reference& reference, const Place& place) {
        std::optional<std::string> value;
        if (reference.kind == "env") {
            if (const auto found = context_.environment.find(reference.name); found != context_.environment.end()) value = found->second;
        } else if (reference.kind == "secret") {
            value = find_secret(reference.name);
        } else if (reference.kind == "file") {
            value = read_file(reference.name);
        } else {
            problems_.add(place, fmt::format("\"${{{}:{}}}\" is no reference; there are ${{env:NAME}}, ${{secret:a.b}} and ${{file:PATH}}", excerpt(reference.kind),
                                             excerpt(reference.name)));
            return std::nullopt;
        }
        if (value) return value;
        if (reference.otherwise) return reference.otherwise;
        report_missing(reference, place);
        return std::nullopt;
    }

    std::optional<std::string> find_secret(const std::string& name) const {
        const Node* found = find_path(context_.secrets, parse_key(name));
        if (found == nullptr || !found->is_scalar()) return std::nullopt;
        return found->kind == Node::Kind::text ? found->value.as_text() : json::to_text(found->value);
    }

    std::optional<std::string> read_file(const std::string& name) const {
        const std::string path = name.starts_with('/') ? name : io::join_path(context_.folder, name);
        if (context_.files.find(path) == nullptr) return std::nullopt;
        std::string text = context_.files.read_text(path);
        while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
        return text;
    }

    void report_missing(const Reference& reference, const Place& place) {
        const std::string variable = variable_of(path_);
        std::string text = fmt::format("{} has no value: ", key_text(path_));
        if (reference.kind == "env") {
            text += fmt::format("the environment variable {} is not set (nor is {})", reference.name, variable);
            text += near_variable({reference.name, variable});
        } else if (reference.kind == "file") {
            text += fmt::format("there is no file \"{}\"", reference.name);
        } else {
            text += fmt::format("there is no secret {}\n    set {} in the environment,\n    or {} in {}{}", reference.name, variable, secret_line(reference.name),
                                context_.secrets_name, context_.has_secrets_file ? "" : " (which does not exist)");
            text += near_secret(reference.name) + near_variable({variable});
        }
        problems_.add(place, text);
    }

    /// `[warehouse] password = "…"`.
    static std::string secret_line(const std::string& name) {
        std::vector<std::string> path = parse_key(name);
        const std::string key = key_text({path.back()});
        path.pop_back();
        return path.empty() ? fmt::format("{} = \"...\"", key) : fmt::format("[{}] {} = \"...\"", key_text(path), key);
    }

    std::string near_variable(const std::vector<std::string>& wanted) const {
        std::vector<std::string> names;
        for (const auto& [name, value] : context_.environment) names.push_back(name);
        for (const std::string& name : wanted) {
            if (const std::optional<std::string> near = did_you_mean(name, names)) return fmt::format("\n    there is {} in the environment: a typo?", *near);
        }
        return {};
    }

    std::string near_secret(const std::string& name) const {
        std::vector<std::string> names;
        collect(context_.secrets, {}, names);
        const std::optional<std::string> near = did_you_mean(name, names);
        return near ? fmt::format("\n    there is {} in {}: a typo?", *near, context_.secrets_name) : "";
    }

    static void collect(const Node& node, std::vector<std::string> path, std::vector<std::string>& names) {
        if (node.is_scalar()) names.push_back(key_text(path));
        for (const auto& [name, member] : node.members) {
            path.push_back(name);
            collect(member, path, names);
            path.pop_back();
        }
    }

    std::vector<std::string> path_;  ///< of the setting that is looked at
    const ReferenceContext& context_;
    Problems& problems_;
};

}  // namespace

Node resolve_references(const Node& node, const std::vector<std::string>& path, const ReferenceContext& context, Problems& problems) {
    return Resolver(path, context, problems).resolve(node);
}

}  // namespace tipple::config
