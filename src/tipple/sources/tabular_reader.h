#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tipple/engine/engine.h"
#include "tipple/io/file_system.h"
#include "tipple/source/source.h"
#include "tipple/sources/csv_values.h"
#include "tipple/sources/data_format.h"

namespace tipple::sources {

struct CsvOptions {
    /// Empty = found out from the file.
    std::string delimiter;
    bool has_header = true;
};

/// Reads CSV, TSV and Parquet files with the embedded engine, as columns. A column of a CSV file whose type was guessed wrong from its beginning
/// gets a type that holds all its values, at last text, and the file is read again from the start.
class TabularReader {
public:
    TabularReader(const extract::ResourceContext& context, extract::Output& out) : context_(context), out_(out) {}

    /// `name` is the file's name for messages; `path` where its bytes are (another place for spooled content).
    void read_csv(const std::string& path, const std::string& name, DataFormat format, const CsvOptions& options);
    /// A file that stays where it is, with its `in_place` size and time, is offered first; its rows are read when the offer is not taken.
    void read_parquet(const std::string& path, const std::string& name, const io::FileInfo* in_place);

private:
    struct CsvFile {
        const std::string& path;
        const std::string& name;
        DataFormat format;
        const CsvOptions& options;
    };
    /// Columns that are not what the engine guesses: what they are instead, nothing = text.
    using CsvTypes = std::map<std::string, std::optional<CsvType>>;
    /// False when a column got another type, in `types`: everything has to be read again.
    bool try_read_csv(const CsvFile& file, CsvTypes& types);
    void report_rejects(engine::Engine& engine, const std::string& name);

    const extract::ResourceContext& context_;
    extract::Output& out_;
};

}  // namespace tipple::sources
