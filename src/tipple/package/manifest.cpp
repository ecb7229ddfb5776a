#include "tipple/package/manifest.h"

#include <charconv>
#include <limits>
#include <set>
#include <unordered_set>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/package/layout.h"

namespace tipple::package {

namespace {

constexpr std::int64_t format_version = 1;

json::Array texts(const std::vector<std::string>& values) {
    return json::Array(values.begin(), values.end());
}

json::Object column_document(const SegmentColumn& column) {
    return {{"name", column.name},
            {"type", schema::to_text(column.type.type)},
            {"precision", column.type.precision},
            {"scale", column.type.scale},
            {"timezone", column.type.timezone}};
}

json::Object reference_document(const FileReference& reference) {
    json::Array columns;
    for (const auto& [from, column] : reference.columns) {
        json::Object document = column_document(column);
        document.append("from", from);
        columns.emplace_back(std::move(document));
    }
    // A path is bytes; JSON is text.
    const bool is_text = is_valid_utf8(reference.path);
    return {{"path", is_text ? json::Value(reference.path) : json::Value()},
            {"path_base64", is_text ? json::Value() : json::Value(to_base64(reference.path))},
            {"size", reference.size},
            {"modified_ns", reference.modified_ns},
            {"row_id_prefix", reference.row_id_prefix},
            {"columns", std::move(columns)}};
}

json::Object job_document(const JobFile& job) {
    json::Object document = {{"name", job.name},
                             {"table", job.table},
                             {"rows", job.rows},
                             {"bytes", job.bytes},
                             {"raw_bytes", job.raw_bytes}};
    if (job.batch_bytes != 0) document.append("batch_bytes", job.batch_bytes);
    if (job.reference) {
        document.append("reference", reference_document(*job.reference));
    } else {
        document.append("checksum", to_hex(job.checksum));
    }
    return document;
}

json::Object load_document(const TableLoad& load) {
    json::Object document = {{"root", load.root}, {"disposition", schema::to_text(load.disposition)}, {"tables", texts(load.tables)}};
    if (load.delete_missing) {
        document.append("delete_missing", json::Object{{"mode", schema::to_text(load.delete_missing->mode)},
                                                       {"limit", load.delete_missing->limit.text()},
                                                       {"allows_empty", load.delete_missing->allows_empty}});
    }
    if (load.replaced) document.append("replaced_rows", json::Object{{"column", load.replaced->column}, {"values", texts(load.replaced->values)}});
    return document;
}

json::Array moves_document(const std::vector<columns::ColumnMove>& moves) {
    json::Array document;
    for (const columns::ColumnMove& move : moves) document.emplace_back(json::Object{{"table", move.table}, {"from", move.from}, {"to", move.to}});
    return document;
}

json::Array widened_document(const std::vector<WidenedColumn>& columns) {
    json::Array document;
    for (const WidenedColumn& column : columns) {
        document.emplace_back(json::Object{{"table", column.table}, {"column", column.column}, {"from", schema::to_text(column.from)}});
    }
    return document;
}

/// The checksum that the manifest carries of itself: of all its other members, written compactly.
std::string own_checksum(const json::Value& document) {
    return to_hex(xxh3_64(json::to_text(document)));
}

}  // namespace

std::string manifest_text(const ManifestFile& file) {
    const Manifest& manifest = file.manifest;
    json::Array documents;
    for (const DocumentFile& document : file.documents) {
        documents.emplace_back(json::Object{{"name", document.name},
                                            {"bytes", document.bytes},
                                            {"checksum", to_hex(document.checksum)}});
    }
    json::Array loads;
    for (const TableLoad& load : manifest.loads) loads.emplace_back(load_document(load));
    json::Array jobs;
    for (const JobFile& job : manifest.jobs) jobs.emplace_back(job_document(job));
    const Fence& fence = file.fence;
    json::Object document = {
        {"format", format_version},
        {"load_id", manifest.load_id},
        {"pipeline", manifest.pipeline},
        {"dataset", manifest.dataset},
        {"schema_name", manifest.schema_name},
        {"destination", manifest.destination},
        {"created_at", manifest.created_at},
        {"tool_version", manifest.tool_version},
        {"has_new_state", manifest.has_new_state},
        {"fence",
         json::Object{{"state_version",
                       fence.state_version ? json::Value(*fence.state_version) : json::Value()},
                      {"state_hash", fence.state_hash},
                      {"schema_hash", fence.schema_hash}}},
        {"documents", std::move(documents)},
        {"loads", std::move(loads)},
        {"jobs", std::move(jobs)},
        {"notes", manifest.notes}};
    if (!manifest.removal.dropped.empty()) document.append("dropped_tables", texts(manifest.removal.dropped));
    if (!manifest.removal.truncated.empty()) document.append("truncated_tables", texts(manifest.removal.truncated));
    if (!manifest.removal.undone_loads.empty()) {
        document.append("undone_loads", texts(manifest.removal.undone_loads));
        json::Array rows;
        for (const UndoneRows& undone : manifest.removal.undone_rows) rows.push_back(json::Object{{"table", undone.table}, {"rows", undone.rows}});
        document.append("undone_rows", std::move(rows));
    }
    if (!manifest.moves.empty()) document.append("column_moves", moves_document(manifest.moves));
    if (!manifest.widened.empty()) document.append("widened_columns", widened_document(manifest.widened));
    document.append("checksum", own_checksum(document));
    return json::to_text(document, {.spacing = json::Spacing::pretty}) + "\n";
}

namespace {

/// The members of one object of the manifest. Each is taken once; what is missing, of another type
/// or left over is an error.
class Members {
public:
    /// `where` is the place in the document, empty for its top.
    Members(const json::Value& value, const std::string& path, std::string where)
        : path_(path), where_(std::move(where)) {
        if (!value.is_object()) fail("is a {}, not an object", value.type_name());
        object_ = &value.as_object();
    }

    const json::Value& take(std::string_view name) {
        const json::Value* value = object_->find(name);
        if (value == nullptr) fail("has no \"{}\"", name);
        ++taken_;
        return *value;
    }
    bool has(std::string_view name) const { return object_->find(name) != nullptr; }
    std::string text(std::string_view name) {
        const json::Value& value = take(name);
        if (!value.is_text())
            fail("has a {} as \"{}\" where a text belongs", value.type_name(), name);
        return value.as_text();
    }
    bool flag(std::string_view name) {
        const json::Value& value = take(name);
        if (!value.is_bool())
            fail("has a {} as \"{}\" where a boolean belongs", value.type_name(), name);
        return value.as_bool();
    }
    std::int64_t integer(std::string_view name) {
        const json::Value& value = take(name);
        if (!value.is_int()) fail("has no integer as \"{}\"", name);
        return value.as_int();
    }
    std::uint64_t count(std::string_view name) {
        const std::int64_t number = integer(name);
        if (number < 0) fail("has {} as \"{}\"", number, name);
        return static_cast<std::uint64_t>(number);
    }
    /// 16 hexadecimal digits.
    std::uint64_t checksum(std::string_view name) {
        const std::string digits = text(name);
        std::uint64_t number = 0;
        const char* end = digits.data() + digits.size();
        const auto result = std::from_chars(digits.data(), end, number, 16);
        if (digits.size() != 16 || result.ec != std::errc() || result.ptr != end) {
            fail("has \"{}\" as \"{}\"", excerpt(digits), name);
        }
        return number;
    }
    const json::Array& list(std::string_view name) {
        const json::Value& value = take(name);
        if (!value.is_array())
            fail("has a {} as \"{}\" where a list belongs", value.type_name(), name);
        return value.as_array();
    }
    std::vector<std::string> texts(std::string_view name) {
        std::vector<std::string> result;
        for (const json::Value& value : list(name)) {
            if (!value.is_text())
                fail("has a {} in \"{}\" where a text belongs", value.type_name(), name);
            result.push_back(value.as_text());
        }
        return result;
    }
    Members object(std::string_view name) { return {take(name), path_, place(name)}; }
    Members item(std::string_view list_name, const json::Value& value, std::size_t index) const {
        return {value, path_, fmt::format("{}[{}]", place(list_name), index)};
    }
    /// After the last `take`.
    void finish() const {
        if (taken_ != object_->size()) fail("has members that do not belong there");
    }
    template <typename... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
        throw Error(ErrorKind::corrupt, "\"{}\" is damaged: {} {}", path_,
                    where_.empty() ? "it" : where_,
                    fmt::format(format, std::forward<Args>(args)...));
    }

private:
    std::string place(std::string_view name) const {
        return where_.empty() ? std::string(name) : fmt::format("{}.{}", where_, name);
    }

    const std::string& path_;
    std::string where_;
    const json::Object* object_ = nullptr;
    std::size_t taken_ = 0;
};

/// Within int: precision and scale are small numbers, checked where they are used.
int small_number(Members& members, std::string_view name) {
    const std::uint64_t number = members.count(name);
    if (number > 1'000) members.fail("has {} as \"{}\"", number, name);
    return static_cast<int>(number);
}

schema::DataType read_type(Members& members, std::string_view name) {
    const std::string type = members.text(name);
    const std::optional<schema::DataType> known = schema::find_data_type(type);
    if (!known) members.fail("has the unknown type \"{}\"", excerpt(type));
    return *known;
}

columns::ColumnMove read_move(Members members) {
    columns::ColumnMove move{.table = members.text("table"), .from = members.text("from"), .to = members.text("to")};
    members.finish();
    return move;
}

WidenedColumn read_widened(Members members) {
    WidenedColumn column{.table = members.text("table"), .column = members.text("column"), .from = read_type(members, "from")};
    members.finish();
    return column;
}

/// The items of a list, each read by `read`.
template <typename Item>
std::vector<Item> read_items(Members& members, std::string_view name, Item (*read)(Members)) {
    std::vector<Item> items;
    const json::Array& list = members.list(name);
    for (std::size_t i = 0; i < list.size(); ++i) items.push_back(read(members.item(name, list[i], i)));
    return items;
}

std::pair<std::string, SegmentColumn> read_reference_column(Members members) {
    SegmentColumn column{.name = members.text("name"), .type = {}};
    column.type = {.type = read_type(members, "type"),
                   .precision = small_number(members, "precision"),
                   .scale = small_number(members, "scale"),
                   .timezone = members.flag("timezone")};
    std::string from = members.text("from");
    members.finish();
    return {std::move(from), std::move(column)};
}

FileReference read_reference(Members members) {
    FileReference reference;
    const json::Value& path = members.take("path");
    const json::Value& encoded = members.take("path_base64");
    if (path.is_text() && encoded.is_null()) {
        reference.path = path.as_text();
    } else if (!path.is_null() || !encoded.is_text() ||
               !try_parse_base64(encoded.as_text(), reference.path)) {
        members.fail("has no path");
    }
    reference.size = members.count("size");
    reference.modified_ns = members.integer("modified_ns");
    reference.row_id_prefix = members.text("row_id_prefix");
    const json::Array& columns = members.list("columns");
    for (std::size_t i = 0; i < columns.size(); ++i) {
        reference.columns.push_back(read_reference_column(members.item("columns", columns[i], i)));
    }
    members.finish();
    return reference;
}

JobFile read_job(Members members) {
    JobFile job{.name = members.text("name"),
                .table = members.text("table"),
                .rows = members.count("rows"),
                .bytes = members.count("bytes"),
                .raw_bytes = members.count("raw_bytes"),
                .batch_bytes = members.has("batch_bytes") ? members.count("batch_bytes") : 0,
                .checksum = 0,
                .reference = std::nullopt};
    // The name becomes a path: it must not lead out of the package.
    if (!layout::is_safe_name(job.name)) members.fail("has the name \"{}\"", excerpt(job.name));
    if (members.has("reference")) {
        job.reference = read_reference(members.object("reference"));
    } else {
        job.checksum = members.checksum("checksum");
    }
    members.finish();
    return job;
}

schema::DeleteMissing read_delete_missing(Members members) {
    schema::DeleteMissing missing;
    try {
        missing = {.mode = schema::require_delete_mode(members.text("mode")),
                   .limit = schema::DeleteLimit::parse(members.text("limit")),
                   .allows_empty = members.flag("allows_empty")};
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::corrupt) throw;
        members.fail("is not understood: {}", error.what());
    }
    members.finish();
    return missing;
}

TableLoad read_load(Members members) {
    TableLoad load{
        .root = members.text("root"), .disposition = {}, .tables = members.texts("tables"), .delete_missing = {}};
    const std::string disposition = members.text("disposition");
    const std::optional<schema::Disposition> known = schema::find_disposition(disposition);
    if (!known) members.fail("has the unknown disposition \"{}\"", excerpt(disposition));
    load.disposition = *known;
    if (members.has("delete_missing")) load.delete_missing = read_delete_missing(members.object("delete_missing"));
    if (members.has("replaced_rows")) {
        Members replaced = members.object("replaced_rows");
        load.replaced = ReplacedRows{.column = replaced.text("column"), .values = replaced.texts("values")};
        replaced.finish();
    }
    members.finish();
    return load;
}

UndoneRows read_undone(Members members) {
    UndoneRows undone{.table = members.text("table"), .rows = members.count("rows")};
    members.finish();
    return undone;
}

Fence read_fence(Members members) {
    Fence fence;
    if (const json::Value& version = members.take("state_version"); version.is_int()) {
        fence.state_version = version.as_int();
    } else if (!version.is_null()) {
        members.fail("has a {} as \"state_version\"", version.type_name());
    }
    fence.state_hash = members.text("state_hash");
    fence.schema_hash = members.text("schema_hash");
    members.finish();
    return fence;
}

DocumentFile read_document(Members members) {
    DocumentFile document{.name = members.text("name"),
                          .bytes = members.count("bytes"),
                          .checksum = members.checksum("checksum")};
    members.finish();
    return document;
}

/// What one member cannot say: each table is loaded once, no rows are left over, and no two jobs
/// share a file.
void check_whole(const Manifest& manifest, const Members& top) {
    std::unordered_set<std::string_view> loaded;
    for (const TableLoad& load : manifest.loads) {
        for (const std::string& table : load.tables) {
            if (!loaded.insert(table).second) top.fail("loads table \"{}\" twice", excerpt(table));
        }
    }
    std::unordered_set<std::string_view> names;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    for (const JobFile& job : manifest.jobs) {
        if (!loaded.contains(job.table))
            top.fail("loads no table \"{}\", which has rows", excerpt(job.table));
        if (!names.insert(job.name).second) top.fail("has two jobs \"{}\"", job.name);
        // Sums of what is within int64 each could still overflow.
        constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        if (job.rows > limit - rows || job.raw_bytes > limit - bytes)
            top.fail("counts more than there can be");
        rows += job.rows;
        bytes += job.raw_bytes;
    }
}

json::Value parse_document(std::string_view text, const std::string& path) {
    json::Value document;
    if (!json::try_parse(text, document)) {
        throw Error(ErrorKind::corrupt, "\"{}\" is damaged: it is not JSON", path);
    }
    return document;
}

void check_version(Members& top) {
    const std::int64_t version = top.integer("format");
    if (version > format_version) {
        throw Error(ErrorKind::usage,
                    "the package was written by a newer tipple (format {}, this one reads up to "
                    "{}); use that one",
                    version, format_version);
    }
    if (version != format_version) top.fail("has the format {}", version);
}

}  // namespace

ManifestFile parse_manifest(std::string_view text, const std::string& path) {
    const json::Value document = parse_document(text, path);
    Members top(document, path, "");
    check_version(top);
    json::Value others = document;
    others.as_object().erase("checksum");
    if (top.text("checksum") != own_checksum(others))
        top.fail("does not have the checksum it names");

    ManifestFile file;
    Manifest& manifest = file.manifest;
    manifest.load_id = top.text("load_id");
    manifest.pipeline = top.text("pipeline");
    manifest.dataset = top.text("dataset");
    manifest.schema_name = top.text("schema_name");
    manifest.destination = top.text("destination");
    manifest.created_at = top.text("created_at");
    manifest.tool_version = top.text("tool_version");
    manifest.has_new_state = top.flag("has_new_state");
    file.fence = read_fence(top.object("fence"));
    const json::Array& documents = top.list("documents");
    for (std::size_t i = 0; i < documents.size(); ++i) {
        file.documents.push_back(read_document(top.item("documents", documents[i], i)));
    }
    const json::Array& loads = top.list("loads");
    for (std::size_t i = 0; i < loads.size(); ++i) {
        manifest.loads.push_back(read_load(top.item("loads", loads[i], i)));
    }
    const json::Array& jobs = top.list("jobs");
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        manifest.jobs.push_back(read_job(top.item("jobs", jobs[i], i)));
    }
    if (top.has("dropped_tables")) manifest.removal.dropped = top.texts("dropped_tables");
    if (top.has("truncated_tables")) manifest.removal.truncated = top.texts("truncated_tables");
    if (top.has("undone_loads")) {
        manifest.removal.undone_loads = top.texts("undone_loads");
        manifest.removal.undone_rows = read_items(top, "undone_rows", read_undone);
    }
    if (top.has("column_moves")) manifest.moves = read_items(top, "column_moves", read_move);
    if (top.has("widened_columns")) manifest.widened = read_items(top, "widened_columns", read_widened);
    const json::Value& notes = top.take("notes");
    if (!notes.is_object()) top.fail("has a {} as \"notes\"", notes.type_name());
    manifest.notes = notes.as_object();
    top.finish();
    check_whole(manifest, top);
    return file;
}

}  // namespace tipple::package
