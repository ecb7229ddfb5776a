#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/schema/types.h"

/// The schema document as values. Keys this version does not know are kept as they are: they count in the version hash and belong
/// to whoever wrote them.
namespace tipple::schema {

/// Names that start with this are the loader's own.
inline constexpr std::string_view internal_prefix = "_dlt";

inline constexpr std::string_view id_column = "_dlt_id";
inline constexpr std::string_view load_id_column = "_dlt_load_id";
inline constexpr std::string_view parent_id_column = "_dlt_parent_id";
inline constexpr std::string_view list_index_column = "_dlt_list_idx";
inline constexpr std::string_view root_id_column = "_dlt_root_id";
/// Of job files only, never of a table: a number that a root row and all rows below it share with no other rows of the load. Written where
/// root rows can have equal ids, those made of keys, so that what belongs together is known nevertheless.
inline constexpr std::string_view root_number_column = "_tipple_root_number";

/// Of a column that was made for one name of the data, because other names that would become the same column were met beside it: that name.
inline constexpr std::string_view source_name_hint = "x-source-name";

/// One column: a name and its hints. Incomplete while it has no data type; such a column is not at the destination.
class Column {
public:
    Column() = default;
    explicit Column(std::string name) : name_(std::move(name)) {}
    Column(std::string name, DataType type, bool nullable);
    /// Takes over the hints of a document; `name` inside `hints` is ignored. Throws Error(usage) on an unknown data type.
    Column(std::string name, json::Object hints);

    /// Normalized and unique in its table.
    const std::string& name() const { return name_; }
    std::optional<DataType> data_type() const { return data_type_; }
    bool is_complete() const { return data_type_.has_value(); }
    /// True unless the schema says otherwise.
    bool is_nullable() const { return nullable_; }
    /// Digits, bits, length or fraction digits, by type.
    std::optional<int> precision() const { return find_int("precision"); }
    std::optional<int> scale() const { return find_int("scale"); }
    /// Timestamps: whether values are points in time (true) or wall clock readings.
    bool has_timezone() const;
    /// A hint that is either set or not: primary_key, merge_key, unique, row_key, parent_key, root_key, variant, hard_delete, …
    bool flag(std::string_view hint) const;

    const json::Object& hints() const { return hints_; }
    void set_data_type(DataType type);
    void set_nullable(bool nullable);
    void set_hint(std::string_view hint, json::Value value);
    void erase_hint(std::string_view hint);

    bool operator==(const Column& other) const {
        return name_ == other.name_ && hints_ == other.hints_;
    }

private:
    std::optional<int> find_int(std::string_view hint) const;
    void refresh();

    std::string name_;
    json::Object hints_;  ///< without the name, in document order
    std::optional<DataType> data_type_;
    bool nullable_ = true;
};

/// One table: its columns in order and its own hints.
class Table {
public:
    Table() = default;
    explicit Table(std::string name) : name_(std::move(name)) {}

    const std::string& name() const { return name_; }
    /// The table its rows are elements of; empty for a root table.
    std::string parent() const { return text("parent"); }
    bool is_nested() const { return properties_.find("parent") != nullptr; }
    bool is_internal() const { return name_.starts_with(internal_prefix); }
    /// The resource that made it, not normalized; empty for nested tables.
    std::string resource() const { return text("resource"); }
    /// As this table itself says; nested tables inherit, see Schema::disposition_of.
    std::optional<Disposition> disposition() const;
    std::string text(std::string_view property) const;
    /// A member of the `x-normalizer` hint, or null.
    json::Value normalizer_hint(std::string_view name) const;
    void set_normalizer_hint(std::string_view name, json::Value value);
    void erase_normalizer_hint(std::string_view name);

    const std::vector<Column>& columns() const { return columns_; }
    const Column* find(std::string_view column) const;
    Column* find(std::string_view column);
    /// Columns with a hint set, in table order: `columns_with("primary_key")`.
    std::vector<std::string> columns_with(std::string_view hint) const;
    /// Whether it is at, or can be made at, the destination.
    bool has_complete_columns() const;

    /// Appends, or replaces the column of that name where it stands.
    void set_column(Column column);
    /// An incomplete column that becomes complete moves to the end.
    void complete_column(Column column);
    void erase_column(std::string_view column);

    const json::Object& properties() const { return properties_; }
    void set_property(std::string_view property, json::Value value) {
        properties_.set(property, std::move(value));
    }
    void erase_property(std::string_view property) { properties_.erase(property); }
    json::Object& edit_properties() { return properties_; }

private:
    void reindex();

    std::string name_;
    json::Object properties_;  ///< everything but `name` and `columns`, in document order
    std::vector<Column> columns_;
    std::unordered_map<std::string, std::size_t> index_;
};

/// Tables of one source. Copying is cheap: tables are shared and replaced when changed, so a copy is the immutable snapshot that
/// workers read.
class Schema {
public:
    /// A new schema with the reference's defaults: settings, normalizers, `_dlt_version` and `_dlt_loads`. `name` must be an
    /// identifier of at most 64 characters, else Error(usage).
    static Schema make(std::string name, std::string_view naming = "snake_case");

    const std::string& name() const { return name_; }
    /// In the order they were added.
    const std::vector<std::shared_ptr<const Table>>& tables() const { return tables_; }
    const Table* find(std::string_view table) const;
    std::shared_ptr<const Table> find_shared(std::string_view table) const;
    /// Throws a Bug when it is not there.
    const Table& require(std::string_view table) const;

    /// Adds, or replaces the table of that name where it stands.
    void set_table(Table table);
    void erase_table(std::string_view table);

    /// Up the chain of parents to the table without one.
    const Table& root_of(const Table& table) const;
    /// `root` and all tables below it: parents before children, in schema order otherwise.
    std::vector<const Table*> chain_of(std::string_view root) const;
    /// The table's own disposition or that of its nearest ancestor; append when none says.
    Disposition disposition_of(const Table& table) const;

    const json::Object& settings() const { return settings_; }
    json::Object& settings() { return settings_; }
    const json::Object& normalizers() const { return normalizers_; }
    json::Object& normalizers() { return normalizers_; }
    /// The naming convention's name, `snake_case` when the document has none.
    std::string naming() const;

    std::int64_t version() const { return version_; }
    /// The hash as of the last `bump`, or as stored.
    const std::string& version_hash() const { return version_hash_; }
    const std::vector<std::string>& previous_hashes() const { return previous_hashes_; }
    /// Recomputes the hash; when it differs from the last one: version + 1 (the first hash: version 1 stays) and the old hash in
    /// front of the previous ones, ten at most. True when it changed.
    bool bump();

    /// Takes over version, hash and previous hashes of an earlier state of this schema that was saved.
    void continue_from(const Schema& saved);

    /// Reads a document of the reference or of tipple, migrating from older engine versions. Throws Error(corrupt) when a stored
    /// hash does not fit the content, Error(usage) when the document is malformed or its engine is newer than ours.
    static Schema from_document(const json::Value& document);
    /// Top level keys in the order of the reference.
    json::Object to_document() const;
    /// base64 of SHA3-256 over the sorted document, then table and column names; see docs/internals/schema.md.
    std::string compute_hash() const;

    /// Top level keys other than the above: description, imported_version_hash, ….
    const json::Object& extras() const { return extras_; }
    json::Object& extras() { return extras_; }

private:
    std::string name_;
    std::int64_t version_ = 1;
    std::string version_hash_;
    std::vector<std::string> previous_hashes_;
    std::vector<std::shared_ptr<const Table>> tables_;
    std::unordered_map<std::string, std::size_t> index_;
    json::Object settings_;
    json::Object normalizers_;
    json::Object extras_;
};

inline constexpr std::int64_t engine_version = 11;

}  // namespace tipple::schema
