#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tipple/destination/load_plan.h"
#include "tipple/destination/merge.h"
#include "tipple/destinations/postgres/copy_encoder.h"
#include "tipple/destinations/postgres/session.h"

namespace tipple::destinations::postgres {

/// One package on its way into a database: one connection, one transaction.
///
/// Readers wait for a moment at most, however long the load takes. So whatever locks a table against them, adding columns to it, emptying it or
/// putting another in its place, happens at the very end; until then rows of such tables go to temporary tables, or to the one that takes the place.
class Load final : public destination::LoadTransaction {
public:
    /// Begins the transaction; see Destination::begin.
    Load(const Place& place, const destination::DestinationContext& context, const destination::Capabilities& capabilities,
         const package::Package& package);

    const destination::Catalog& catalog() const override { return catalog_; }
    void drop(const std::vector<std::string>& tables) override;
    void truncate(const std::vector<std::string>& tables) override;
    void apply(const destination::DdlPlan& plan) override;
    void undo() override;
    void load(const destination::LoadJob& job, std::stop_token stop) override;
    std::vector<destination::LoadedTable> finish() override;
    void commit() override;

private:
    using TableState = destination::TableLoadState;

    /// How rows get into a table.
    enum class Way {
        direct,   ///< by COPY
        staged,   ///< by COPY into a temporary table, and from there at the end
        swapped,  ///< by COPY into a new table that takes the place of the old one at the end
    };

    /// One COPY of rows of a table of the package.
    struct Copy {
        std::string table;
        std::string target;  ///< quoted
        std::vector<package::SegmentColumn> columns;
        std::vector<CopyField> fields;
        package::OtherColumns other_columns = package::OtherColumns::refuse;
        const destination::DroppedRows* dropped = nullptr;
        destination::RowRange selected = {};
        bool is_new = false;  ///< the target was made by this transaction
        std::function<void(std::uint64_t rows)> on_rows = {};
    };

    bool existed(const std::string& table) const { return catalog_.find(table) != nullptr; }
    void choose_ways();
    std::string type_of_column(const std::string& table, const std::string& column) const;
    std::vector<CopyField> fields_of(const TableState& table) const;
    std::string staging_of(const TableState& table) const;
    std::string successor_of(const TableState& table) const;
    std::uint64_t copy(const Copy& copy, std::stop_token stop);
    std::uint64_t copy_rows(const TableState& table, const std::string& target, std::vector<CopyField> fields, std::stop_token stop);
    std::uint64_t copy_keys(const TableState& table, const std::string& temporary, std::stop_token stop);
    void alter_tables();
    void copy_to_staging(const TableState& table, std::stop_token stop);
    void copy_to_successor(TableState& table, std::stop_token stop);
    void prepare_merge(const std::string& root, std::stop_token stop);
    bool merges_before_altering(const std::string& root);
    void prepare_merges();
    std::vector<std::string> tables_to_lock() const;
    bool is_altered(const std::string& table) const;
    void alter_columns(const std::string& table, const std::string& target);
    std::string kept_condition(const TableState& table);
    void empty(const std::vector<std::string>& tables);
    void empty_replaced();
    void insert_staged(TableState& table);
    void take_place(const TableState& table);
    [[noreturn]] void fail(const Error& error, const TableState& table) const;

    const Place place_;
    const destination::DestinationContext context_;
    const package::Package package_;
    destination::LoadPlan plan_;
    Session session_;
    destination::Catalog catalog_;  ///< before the load
    std::map<std::string, Way, std::less<>> ways_;
    destination::DdlPlan ddl_;
    std::map<std::string, destination::Merge> merges_;  ///< by root, once prepared
    std::function<void(std::uint64_t rows)> on_rows_;   ///< of the job that is being loaded
    bool are_tables_altered_ = false;
    bool are_replaced_empty_ = false;
    bool is_finished_ = false;
};

}  // namespace tipple::destinations::postgres
