#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tipple::schema {

/// Turns names of the source into names of the destination. Immutable; used by many threads at once.
/// The conventions and their rules: docs/internals/naming.md.
class NamingConvention {
public:
    virtual ~NamingConvention() = default;

    /// "snake_case", "duck_case", "sql_cs_v1", "sql_ci_v1", "direct", "s3_tables". Longer names are shortened to `length_max`
    /// characters (code points), nothing or 0 = no limit. Throws Error(usage) with the known names for another one, and for a limit that
    /// leaves no room for the tag.
    static std::shared_ptr<const NamingConvention> make(std::string_view name,
                                                        std::optional<std::size_t> length_max = std::nullopt);
    static std::vector<std::string> known_names();

    virtual std::string_view name() const = 0;
    /// Whether names that differ in case only are different names.
    virtual bool is_case_sensitive() const = 0;
    /// Between the parts of a path: `__`, or `▶` for direct.
    virtual std::string_view separator() const = 0;

    /// One identifier, no separator looked for, shortened. Throws Error(data) when `identifier` is empty or blank.
    std::string normalize_identifier(std::string_view identifier) const;
    /// Breaks at separators, normalizes and shortens each part, joins, shortens the whole (tag of the raw path). For column names, data
    /// keys and hints. Empty when nothing but separators and blanks is in `path`.
    std::string normalize_path(std::string_view path) const;
    /// The same for table names.
    std::string normalize_table_path(std::string_view path) const;
    /// Joins parts that are normalized already and shortens the whole (tag of the joined text). Blank parts are left out.
    std::string join_path(std::span<const std::string> parts) const;

    /// The six characters that stand for the cut middle of `identifier` in a shortened name.
    static std::string tag(std::string_view identifier);

protected:
    explicit NamingConvention(std::optional<std::size_t> length_max) : length_max_(length_max) {}
    /// `identifier` is stripped of white space and not empty.
    virtual std::string normalize(std::string_view identifier) const = 0;
    /// What is still done to `name`, a normalized and shortened part of a table name.
    virtual std::string finish_table(std::string name) const { return name; }

private:
    std::string shorten(std::string normalized, std::string_view tag_source) const;
    std::string normalize_parts(std::string_view path, bool is_table) const;

    std::optional<std::size_t> length_max_;
};

/// Name of the schema of a pipeline whose sources name none: its name in snake_case, without `_pipeline` at the end, 64 characters at most.
std::string default_schema_name(std::string_view pipeline);

}  // namespace tipple::schema
