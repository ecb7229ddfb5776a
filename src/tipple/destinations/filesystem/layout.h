#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Where in a dataset's folder the files of its tables lie.
namespace tipple::destinations::filesystem {

/// What the name of a data file says.
struct FileName {
    std::string schema;  ///< empty when the layout does not say
    std::string table;
    std::string load_id;
    std::string file_id;
    std::string ending;  ///< `jsonl`, `parquet`, `csv.gz`, …
};

/// A pattern such as `{table_name}/{load_id}.{file_id}.{ext}`, with the placeholders of the reference. Dates and times are those of the load id, so
/// that a repeat of a load gives the same names.
class Layout {
public:
    static constexpr std::string_view default_text = "{table_name}/{load_id}.{file_id}.{ext}";

    /// Throws Error(usage) that says what is wrong: a placeholder that does not exist, a table name that other things stand before or that nothing
    /// ends, or no load id, file id or ending, without which nobody could tell which files belong to a finished load.
    explicit Layout(std::string_view text);

    const std::string& text() const { return text_; }
    /// The path of a file below the dataset's folder. Throws Error(usage) when a name cannot be part of a path, or the path could not be read back.
    std::string path(const FileName& name) const;
    /// The way back; nothing when the path is not of this layout.
    std::optional<FileName> parse(std::string_view path) const;

private:
    struct Part {
        bool is_placeholder = false;
        std::string text;  ///< the placeholder's name, or what stands there as it is
    };

    void check() const;
    bool match(std::string_view path, std::size_t part, FileName& name) const;

    std::string text_;
    std::vector<Part> parts_;
};

}  // namespace tipple::destinations::filesystem
