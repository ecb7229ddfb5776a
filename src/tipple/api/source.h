#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tipple/api/context.h"
#include "tipple/api/output.h"
#include "tipple/api/record.h"
#include "tipple/config/option_spec.h"
#include "tipple/source/source.h"

namespace tipple {

/// Options of a source, as a project file, a command line or a program gives them: texts by name.
/// How often a long read is committed: after so many records, or so much time.
using extract::Checkpoint;
using config::Options;
/// How a resource is read incrementally: where it begins and ends, the order of its records, how much is read again.
using IncrementalOptions = incremental::Spec;
/// How a merge is done: its strategy and what belongs to it.
using schema::MergeOptions;
/// What a full snapshot does with rows that it does not have, and how many of them it may miss.
using schema::DeleteLimit;
using schema::DeleteMissing;

/// One name or several.
class Names {
public:
    Names(const char* name) : names_{name} {}
    Names(std::string name) : names_{std::move(name)} {}
    Names(std::initializer_list<std::string> names) : names_(names) {}
    Names(std::vector<std::string> names) : names_(std::move(names)) {}
    std::vector<std::string> take() && { return std::move(names_); }

private:
    std::vector<std::string> names_;
};

/// Pushes all pages of a resource. Runs on a thread of the pipeline. What it throws ends the run, with the names of source, resource and page.
using Generator = std::function<void(Output& out, ResourceContext& context)>;
/// Is called with each page of a parent's records.
using Transform = std::function<void(const Records& records, Output& out, ResourceContext& context)>;

/// What a Resource is made of; plain data.
struct ResourceDefinition {
    extract::ResourceSpec spec;
    /// One of the two: a resource reads, or transforms what `parent` has read.
    Generator generate = {};
    Transform transform = {};
    std::string parent = {};
    /// Read at the same time as others.
    bool is_parallel = false;
    /// What is done to each page's records, in order.
    std::vector<std::function<void(Records&)>> steps = {};
    /// Chooses the table of a record; empty = the resource's.
    std::function<std::string(const Record&)> table_of = {};
};

/// One thing that can be read and becomes a table with its nested tables: a builder over the function that reads it. A value; names are those of the data.
class Resource {
public:
    explicit Resource(ResourceDefinition definition) : definition_(std::move(definition)) {}

    /// What its rows do to those that are there; append unless said otherwise.
    Resource& write_disposition(Disposition disposition);
    /// Merge, in this way.
    Resource& merge(MergeOptions options);
    /// Fields that tell records apart.
    Resource& primary_key(Names names);
    /// Fields whose values say which rows are replaced together.
    Resource& merge_key(Names names);
    /// What is read is all there is: merged rows of other records are removed or flagged. Refused in a run that leaves anything out.
    Resource& delete_missing(DeleteMissing options = {});
    /// Only records whose cursor has moved on are loaded; what that is, is remembered with the commit. `cursor_path`: a field's name or a JSONPath.
    Resource& incremental(std::string cursor_path, IncrementalOptions options = {});
    /// Hints for columns, as `NAME:TYPE[:HINT...]`: "price:decimal(10,2)", "id:bigint:key", "lines/sku:text:not_null". Throws Error(usage).
    Resource& columns(const std::vector<std::string>& hints);
    /// One mode ("evolve", "freeze", "discard_row", "discard_value") for all, or an object with `tables`, `columns` and `data_type`.
    Resource& schema_contract(json::Value contract);
    /// How many objects and lists below a record are opened; what lies deeper stays JSON.
    Resource& max_nesting(int levels);
    /// The table's name, instead of the resource's.
    Resource& table(std::string name);
    /// Each record goes to the table named by `prefix` and its field `field`.
    Resource& table_by(std::string field, std::string prefix = {});
    /// Each record goes to the table that the function names.
    Resource& table_by(std::function<std::string(const Record&)> choose);
    /// Reading ends after so many pages that had records left.
    Resource& limit(std::uint64_t pages);
    /// A long read is committed in parts, each with the cursor as it stood there: when so many records came, or so much time went by. Its records must come in the order of
    /// the cursor, or the read mark where parts may end (Output::checkpoint).
    Resource& checkpoint(Checkpoint every);
    /// Is read at the same time as the other parallel resources of its source, on a thread of its own; its transformers follow it on that thread. One page of each comes in turn,
    /// in the order in which they were added, so what is loaded is the same whatever the timing. Up to 8 pages of each wait for their turn, then its read does.
    ///
    /// Its generator, steps and transforms run while those of others do: what they share must be made for that. They must not wait for each other's pages. Such a resource is not
    /// committed in parts (checkpoint) together with others. Parallel resources are read where the first one of them stands, all others one after another.
    Resource& parallel();
    /// Changes each record. Steps run in the order in which they were added, before the cursor looks at the records.
    Resource& map(std::function<void(Record&)> change);
    /// Leaves out records for which it is false.
    Resource& filter(std::function<bool(const Record&)> is_wanted);
    /// Makes any number of records of each.
    Resource& expand(std::function<Records(Record)> expand);
    /// A sentence for people, kept in the schema.
    Resource& description(std::string text);

    const std::string& name() const { return definition_.spec.name; }
    const ResourceDefinition& definition() const { return definition_; }

private:
    ResourceDefinition definition_;
};

/// A resource that reads by `generate`.
Resource resource(std::string name, Generator generate);
/// A resource that is made of the records of another one, which is read once for all: `transform` is called with each page of them that was written, without what the
/// parent's cursor leaves out. When the parent itself is not loaded, it is read all the same.
Resource transformer(std::string name, const Resource& parent, Transform transform);
/// The same for a parent by name, which must be added to the source before.
Resource transformer(std::string name, std::string parent, Transform transform);

/// Resources that belong together. Its name is that of the schema, under which is remembered what its resources remember.
class Source {
public:
    /// `description`: a sentence for people, kept in the schema.
    explicit Source(std::string name, std::string description = {});

    /// Throws Error(usage) for a name that is there already, a transformer whose parent is not, or one that is parallel itself: it is read on its parent's thread.
    Source& add(Resource resource);
    /// For all resources added so far that say nothing of it themselves.
    Source& max_nesting(int levels);

    const std::string& name() const { return name_; }
    const std::string& description() const { return description_; }
    const std::vector<Resource>& resources() const { return resources_; }
    const Resource* find(std::string_view name) const;

private:
    std::string name_;
    std::string description_;
    std::vector<Resource> resources_;
};

/// A source without resources, to be added.
Source source(std::string name, std::string description = {});

/// Makes a source of options; what a program's own command line calls.
using SourceFunction = std::function<Source(const Options&)>;

/// What the pipeline reads a source by.
std::unique_ptr<extract::SourceDriver> make_driver(Source source);

}  // namespace tipple
