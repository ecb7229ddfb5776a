// The manifest of a load package, as a crash, a disk or somebody's editor may have left it.
#include <fstream>
#include <memory>

#include "fuzz.h"
#include "support/package_maker.h"
#include "support/temporary_folder.h"
#include "tipple/core/hash.h"

namespace tipple::fuzz {

namespace {

/// A real package, whose manifest is replaced by each input.
class Place {
public:
    Place() {
        support::StoppedClock clock;
        support::PackageMaker maker(*files_, clock, folder_.path());
        maker.table("t", "{}", R"({"a": "bigint", "b": "text"})");
        maker.table("t__l", R"({"parent": "t"})", R"({"value": "bigint"})");
        maker.begin("1.0").load(schema::Disposition::append, {"t", "t__l"});
        maker.rows("t", R"([{"a": 1, "b": "x"}, {"a": 2}])")
            .rows(
                "t__l",
                R"([{"value": 3, "_dlt_root_id": "r", "_dlt_parent_id": "p", "_dlt_list_idx": 0}])");
        package_folder_ = maker.close(std::nullopt).folder();
    }

    /// Reads the package with this manifest in every way there is.
    void read(const std::string& manifest) {
        std::ofstream(io::join_path(package_folder_, "manifest.json"), std::ios::binary)
            << manifest;
        package::Package package(*files_, package_folder_);
        require(package.load_id() == "1.0", "another load's manifest");
        package.verify();
        for (const package::TableLoad& load : package.manifest().loads) {
            for (const std::string& name : load.tables) read_rows(package, name);
        }
        was_read_ = true;
    }
    bool was_read() const { return was_read_; }

    /// What an input cannot know: the checksum `right` stands for that of the file beside it, and
    /// the manifest's own is always right.
    std::string seal(json::Value document) {
        if (!document.is_object()) return json::to_text(document);
        for (const char* list : {"documents", "jobs"}) {
            json::Value* entries = document.as_object().find(list);
            if (entries == nullptr || !entries->is_array()) continue;
            for (json::Value& entry : entries->as_array()) {
                if (entry.is_object()) seal_file(entry.as_object());
            }
        }
        document.as_object().erase("checksum");
        const std::string checksum = to_hex(xxh3_64(json::to_text(document)));
        document.as_object().append("checksum", checksum);
        return json::to_text(document);
    }

private:
    void read_rows(const package::Package& package, const std::string& table) {
        std::vector<package::SegmentColumn> columns;
        for (const schema::Column& column : package.schema().require(table).columns()) {
            if (column.is_complete())
                columns.push_back({column.name(), columns::column_type(column)});
        }
        package::TableReader reader(*files_, package, table, columns, 1);
        std::uint64_t rows = 0;
        while (const auto batch = reader.next()) rows += batch->rows;
        require(rows <= package.manifest().rows_of(table), "more rows than the manifest says");
    }

    void seal_file(json::Object& entry) {
        const json::Value* checksum = entry.find("checksum");
        const json::Value* name = entry.find("name");
        if (checksum == nullptr || !(*checksum == json::Value("right")) || name == nullptr ||
            !name->is_text())
            return;
        for (const std::string& path :
             {io::join_path(package_folder_, name->as_text()),
              io::join_path(package_folder_, "jobs/" + name->as_text())}) {
            const auto info = files_->find(path);
            if (info == nullptr || info->is_directory) continue;
            const std::string bytes = files_->read_text(path);
            entry.set("bytes", static_cast<std::int64_t>(bytes.size()));
            entry.set("checksum", to_hex(xxh3_64(bytes)));
            return;
        }
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    std::string package_folder_;
    bool was_read_ = false;
};

}  // namespace

}  // namespace tipple::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tipple;
    static fuzz::Place place;
    const std::string text(reinterpret_cast<const char*>(data), size);
    json::Value document;
    const bool is_json = json::try_parse(text, document);
    try {
        place.read(is_json ? place.seal(document) : text);
    } catch (const Error& error) {
        fuzz::require(error.kind() != ErrorKind::local,
                      std::string("a file of nobody was looked for: ") + error.what());
    }
    return 0;
}
