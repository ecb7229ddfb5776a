#pragma once

#include <string>

#include "tipple/io/file_system.h"
#include "tipple/schema/schema.h"

/// Folders of schema documents that people read and edit, `<schema>.schema.yaml` or `.json`: see docs/guide/schema.md.
namespace tipple::pipeline {

class SchemaFiles {
public:
    /// Empty = no such folder. `files` outlives it.
    SchemaFiles(io::FileSystem& files, std::string import_folder, std::string export_folder)
        : files_(files), import_folder_(std::move(import_folder)), export_folder_(std::move(export_folder)) {}

    /// Makes the import folder's document the content of `schema`, when there is one and it was changed since it was imported last. Throws
    /// Error(usage) when it is no schema of that name.
    void import_into(schema::Schema& schema) const;
    /// Writes `declared` to the import folder when that has no document of it: what people start from.
    void offer(schema::Schema& declared) const;
    /// Writes the document as it was loaded to the export folder.
    void write_export(const schema::Schema& schema) const;

private:
    io::FileSystem& files_;
    std::string import_folder_;
    std::string export_folder_;
};

}  // namespace tipple::pipeline
