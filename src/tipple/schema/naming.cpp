#include "tipple/schema/naming.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/schema/unicode.h"

namespace tipple::schema {

namespace {

/// Bytes of SHAKE-128 behind a tag: one collision in a thousand shortened names is accepted, which
/// needs 30 bits.
constexpr std::size_t tag_bytes = 4;
constexpr std::size_t tag_length = 6;

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_letter(char c) {
    return is_lower(c) || is_upper(c);
}
bool is_ascii_digit(char c) {
    return c >= '0' && c <= '9';
}

void to_lower(std::string& text) {
    for (char& c : text) {
        if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
    }
}

/// Runs of `_` become one.
void contract_underscores(std::string& text) {
    const auto end =
        std::unique(text.begin(), text.end(), [](char a, char b) { return a == '_' && b == '_'; });
    text.erase(end, text.end());
}

bool starts_with_digit(std::string_view text) {
    return !text.empty() && unicode::digit_value(unicode::decode(text, 0).code) >= 0;
}

/// Every run of characters that are neither ASCII letters, digits of any script nor `_` becomes one
/// `_`.
std::string replace_foreign_runs(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 8);
    bool in_run = false;
    for (std::size_t at = 0; at < text.size();) {
        const unicode::Character character = unicode::decode(text, at);
        const char first = text[at];
        if (is_letter(first) || first == '_' || unicode::digit_value(character.code) >= 0) {
            out.append(text, at, character.length);
            in_run = false;
        } else if (!in_run) {
            out += '_';
            in_run = true;
        }
        at += character.length;
    }
    return out;
}

/// `HTTPServer` to `HTTP_Server`, `userID` to `user_ID`: before a capital that a small letter
/// follows, and between a small letter or digit and a capital. Only ASCII counts.
std::string break_at_capitals(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 8);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i > 0 && is_upper(text[i]) && text[i - 1] != '_') {
            const bool starts_word = i + 1 < text.size() && is_lower(text[i + 1]);
            const bool ends_word = is_lower(text[i - 1]) || is_ascii_digit(text[i - 1]);
            if (starts_word || ends_word) out += '_';
        }
        out += text[i];
    }
    return out;
}

/// The first `front` and the last `back` code points of `text`, which has at least as many, with
/// `middle` between.
std::string replace_middle(std::string_view text, std::size_t front, std::string_view middle,
                           std::size_t back) {
    std::size_t front_end = 0;
    for (; front > 0 && front_end < text.size(); --front)
        front_end += unicode::decode(text, front_end).length;
    const std::size_t length = unicode::length(text);
    std::size_t back_start = 0;
    for (std::size_t skip = length - back; skip > 0 && back_start < text.size(); --skip) {
        back_start += unicode::decode(text, back_start).length;
    }
    std::string out(text.substr(0, front_end));
    out += middle;
    out += text.substr(back_start);
    return out;
}

std::string snake_case(std::string_view identifier) {
    std::string mapped(identifier);
    for (char& c : mapped) {
        if (c == '+' || c == '*') c = 'x';
        if (c == '-') c = '_';
        if (c == '@') c = 'a';
        if (c == '|') c = 'l';
    }
    std::string name = break_at_capitals(replace_foreign_runs(mapped));
    to_lower(name);
    if (starts_with_digit(name)) name.insert(name.begin(), '_');
    // Trailing underscores stay visible, so that `a` and `a_` do not become one column.
    for (std::size_t i = name.size(); i > 0 && name[i - 1] == '_'; --i) name[i - 1] = 'x';
    contract_underscores(name);
    return name;
}

std::string sql_case(std::string_view identifier) {
    std::string name = replace_foreign_runs(identifier);
    if (starts_with_digit(name)) name.insert(name.begin(), '_');
    if (name != "_") name.erase(name.find_last_not_of('_') + 1);
    contract_underscores(name);
    return name;
}

std::string sql_case_insensitive(std::string_view identifier) {
    std::string name = sql_case(identifier);
    to_lower(name);
    return name;
}

std::string duck_case(std::string_view identifier) {
    std::string name(identifier);
    for (char& c : name) {
        if (c == '\n' || c == '\r' || c == '"') c = '_';
    }
    contract_underscores(name);
    return name;
}

std::string direct(std::string_view identifier) {
    std::string name;
    name.reserve(identifier.size());
    for (std::size_t at = 0; at < identifier.size();) {
        const unicode::Character character = unicode::decode(identifier, at);
        switch (character.code) {
            case U'\n':
            case U'\r':
            case U'\'':
            case U'"':
            case U'▶':
                name += '_';
                break;
            default:
                name.append(identifier, at, character.length);
        }
        at += character.length;
    }
    return name;
}

/// What the conventions differ in.
struct Rules {
    std::string_view name;
    std::string_view separator;
    std::string (*normalize)(std::string_view identifier);
    bool is_case_sensitive = false;
    bool table_underscores = true;  ///< whether table names may start with `_`
    std::optional<std::size_t> length_max = std::nullopt;
};

constexpr Rules conventions[] = {
    {"snake_case", "__", snake_case},    {"duck_case", "__", duck_case, true},
    {"sql_cs_v1", "__", sql_case, true}, {"sql_ci_v1", "__", sql_case_insensitive},
    {"direct", "▶", direct, true},       {"s3_tables", "__", snake_case, false, false, 255},
};

class RuledConvention final : public NamingConvention {
public:
    RuledConvention(const Rules& rules, std::optional<std::size_t> length_max)
        : NamingConvention(length_max), rules_(rules) {}
    std::string_view name() const override { return rules_.name; }
    bool is_case_sensitive() const override { return rules_.is_case_sensitive; }
    std::string_view separator() const override { return rules_.separator; }

protected:
    std::string normalize(std::string_view identifier) const override {
        return rules_.normalize(identifier);
    }
    std::string finish_table(std::string name) const override {
        if (!rules_.table_underscores) name.erase(0, name.find_first_not_of('_'));
        return name;
    }

private:
    const Rules& rules_;
};

/// Calls `use` with every part of `path` between separators that is not blank.
void for_each_part(std::string_view path, std::string_view separator,
                   const std::function<void(std::string_view)>& use) {
    while (true) {
        const std::size_t end = std::min(path.find(separator), path.size());
        const std::string_view part = path.substr(0, end);
        if (!unicode::strip(part).empty()) use(part);
        if (end == path.size()) return;
        path.remove_prefix(end + separator.size());
    }
}

}  // namespace

std::shared_ptr<const NamingConvention> NamingConvention::make(
    std::string_view name, std::optional<std::size_t> length_max) {
    if (length_max == 0U) length_max.reset();
    if (length_max && *length_max < tag_length) {
        throw Error(ErrorKind::usage,
                    "names of at most {} characters are too short; {} are the least", *length_max,
                    tag_length);
    }
    for (const Rules& rules : conventions) {
        if (rules.name != name) continue;
        // The smaller of the two limits, where both are there.
        if (rules.length_max)
            length_max = std::min(length_max.value_or(*rules.length_max), *rules.length_max);
        return std::make_shared<const RuledConvention>(rules, length_max);
    }
    throw Error(ErrorKind::usage, "unknown naming convention \"{}\"; known: {}", excerpt(name),
                join(known_names(), ", "));
}

std::vector<std::string> NamingConvention::known_names() {
    std::vector<std::string> names;
    for (const Rules& rules : conventions) names.emplace_back(rules.name);
    return names;
}

std::string NamingConvention::tag(std::string_view identifier) {
    std::string text = to_base64(as_text(shake128(identifier, tag_bytes)), Base64Padding::none);
    for (char& c : text) {
        if (c == '/') c = 'a';
        if (c == '+') c = 'b';
    }
    to_lower(text);
    return text;
}

std::string NamingConvention::shorten(std::string normalized, std::string_view tag_source) const {
    if (!length_max_ || normalized.size() <= *length_max_ ||
        unicode::length(normalized) <= *length_max_) {
        return normalized;
    }
    const std::string middle = tag(tag_source);
    const std::size_t rest = *length_max_ - tag_length;
    return replace_middle(normalized, (rest + 1) / 2, middle, rest / 2);
}

std::string NamingConvention::normalize_identifier(std::string_view identifier) const {
    identifier = unicode::strip(identifier);
    if (identifier.empty()) throw Error(ErrorKind::data, "a name is empty or blank");
    return shorten(normalize(identifier), identifier);
}

std::string NamingConvention::normalize_parts(std::string_view path, bool is_table) const {
    std::vector<std::string> parts;
    for_each_part(path, separator(), [&](std::string_view part) {
        const std::string_view identifier = unicode::strip(part);
        std::string name = shorten(normalize(identifier), identifier);
        if (is_table) name = finish_table(std::move(name));
        // The SQL conventions leave nothing of some names.
        if (!name.empty()) parts.push_back(std::move(name));
    });
    return shorten(join(parts, separator()), path);
}

std::string NamingConvention::normalize_path(std::string_view path) const {
    return normalize_parts(path, false);
}

std::string NamingConvention::normalize_table_path(std::string_view path) const {
    return normalize_parts(path, true);
}

std::string NamingConvention::join_path(std::span<const std::string> parts) const {
    std::string path;
    for (const std::string& part : parts) {
        if (unicode::strip(part).empty()) continue;
        if (!path.empty()) path += separator();
        path += part;
    }
    return shorten(path, path);
}

std::string default_schema_name(std::string_view pipeline) {
    constexpr std::size_t length_max = 64;
    constexpr std::string_view ending = "_pipeline";
    if (pipeline.ends_with(ending) && pipeline.size() > ending.size()) pipeline.remove_suffix(ending.size());
    return NamingConvention::make("snake_case", length_max)->normalize_identifier(pipeline);
}

}  // namespace tipple::schema
