#include "tipple/package/package.h"

#include <algorithm>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/package/layout.h"
#include "tipple/package/manifest.h"

namespace tipple::package {

namespace layout {

bool is_safe_name(std::string_view name) {
    const auto is_safe = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= 200 && name[0] != '.' &&
           std::all_of(name.begin(), name.end(), is_safe);
}

void append_journal(io::FileSystem& files, const std::string& folder, std::string_view at,
                    std::string_view step, const json::Object& details) {
    json::Object line = {{"at", at}, {"step", step}};
    for (const json::Member& detail : details) line.set(detail.name, detail.value);
    const std::string path = io::join_path(folder, journal_file);
    std::string text = json::to_text(line) + "\n";
    // A line that a crash cut short must not swallow this one.
    const auto info = files.find(path);
    if (info != nullptr && info->size > 0) {
        char last = '\n';
        files.open_read(path)->read_at(info->size - 1, &last, 1);
        if (last != '\n') text.insert(text.begin(), '\n');
    }
    const std::unique_ptr<io::WriteFile> file = files.open_append(path);
    file->write(text);
    file->sync();
    file->close();
}

}  // namespace layout

namespace {

template <typename Count>
std::uint64_t sum_of(const std::vector<JobFile>& jobs, std::string_view table, Count count) {
    std::uint64_t sum = 0;
    for (const JobFile& job : jobs) {
        if (job.table == table) sum += count(job);
    }
    return sum;
}

/// A file of ours, which must be there.
std::string read_own_file(io::FileSystem& files, const std::string& path) {
    if (files.find(path) == nullptr) throw Error(ErrorKind::corrupt, "\"{}\" is missing", path);
    return files.read_text(path);
}

/// A document beside the manifest, as the manifest says it is.
json::Value read_document(io::FileSystem& files, const std::string& folder, std::string_view name,
                          const ManifestFile& manifest) {
    const std::string path = io::join_path(folder, name);
    const auto known =
        std::find_if(manifest.documents.begin(), manifest.documents.end(),
                     [&](const DocumentFile& document) { return document.name == name; });
    if (known == manifest.documents.end()) {
        throw Error(ErrorKind::corrupt, "the manifest in \"{}\" does not name {}", folder, name);
    }
    const std::string text = read_own_file(files, path);
    json::Value document;
    if (text.size() != known->bytes || xxh3_64(text) != known->checksum ||
        !json::try_parse(text, document)) {
        throw Error(ErrorKind::corrupt,
                    "\"{}\" is damaged: {} bytes where the manifest says {}, or another checksum",
                    path, text.size(), known->bytes);
    }
    return document;
}

/// Rows are deleted when a package is finished; until then every job file must be there.
bool has_rows_on_disk(const std::string& folder) {
    return io::file_name(io::parent_folder(folder)) != layout::finished_folder;
}

void check_job_files(io::FileSystem& files, const Package& package) {
    for (const JobFile& job : package.manifest().jobs) {
        if (job.reference) continue;
        const std::string path = package.path_of(job);
        const auto info = files.find(path);
        if (info == nullptr)
            throw Error(ErrorKind::corrupt, "the job file \"{}\" is missing", path);
        if (info->size != job.bytes) {
            throw Error(ErrorKind::corrupt,
                        "the job file \"{}\" has {} bytes where the manifest says {}", path,
                        info->size, job.bytes);
        }
    }
}

void check_tables(const Package& package) {
    for (const TableLoad& load : package.manifest().loads) {
        for (const std::string& table : load.tables) {
            if (package.schema().find(table) != nullptr) continue;
            throw Error(ErrorKind::corrupt,
                        "the manifest in \"{}\" loads table \"{}\", which is not in its schema",
                        package.folder(), excerpt(table));
        }
    }
}

schema::Schema parse_schema(const json::Value& document, const std::string& folder) {
    try {
        return schema::Schema::from_document(document);
    } catch (const Error& error) {
        throw Error(ErrorKind::corrupt, "\"{}\" is damaged: {}",
                    io::join_path(folder, layout::schema_file), error.what());
    }
}

}  // namespace

std::uint64_t Manifest::rows_of(std::string_view table) const {
    return sum_of(jobs, table, [](const JobFile& job) { return job.rows; });
}

std::uint64_t Manifest::rows() const {
    std::uint64_t sum = 0;
    for (const JobFile& job : jobs) sum += job.rows;
    return sum;
}

std::uint64_t Manifest::raw_bytes_of(std::string_view table) const {
    return sum_of(jobs, table, [](const JobFile& job) { return job.raw_bytes; });
}

std::string_view to_text(PackageState state) {
    switch (state) {
        case PackageState::extracting:
            return "extracting";
        case PackageState::normalized:
            return "normalized";
        case PackageState::loaded:
            return "loaded";
        case PackageState::failed:
            return "failed";
    }
    return "unknown";
}

Package::Package(io::FileSystem& files, std::string folder)
    : files_(&files), folder_(std::move(folder)) {
    const std::string path = io::join_path(folder_, layout::manifest_file);
    ManifestFile file = parse_manifest(read_own_file(files, path), path);
    std::string expected_id = io::file_name(folder_);
    if (expected_id.starts_with(layout::new_prefix))
        expected_id.erase(0, layout::new_prefix.size());
    if (file.manifest.load_id != expected_id) {
        throw Error(ErrorKind::corrupt, "\"{}\" is of load {}, not of its folder's", path,
                    excerpt(file.manifest.load_id));
    }
    schema_ = parse_schema(read_document(files, folder_, layout::schema_file, file), folder_);
    const json::Value change = read_document(files, folder_, layout::schema_change_file, file);
    if (!change.is_object()) {
        throw Error(ErrorKind::corrupt, "\"{}\" holds no object",
                    io::join_path(folder_, layout::schema_change_file));
    }
    schema_change_ = change.as_object();
    state_ = std::make_shared<const json::Value>(read_document(files, folder_, layout::state_file, file));
    manifest_ = std::move(file.manifest);
    fence_ = std::move(file.fence);
    check_tables(*this);
    if (has_rows_on_disk(folder_)) check_job_files(files, *this);
}

std::vector<const JobFile*> Package::jobs_of(std::string_view table) const {
    std::vector<const JobFile*> jobs;
    for (const JobFile& job : manifest_.jobs) {
        if (job.table == table) jobs.push_back(&job);
    }
    return jobs;
}

std::string Package::path_of(const JobFile& job) const {
    if (job.reference) return job.reference->path;
    return io::join_path(io::join_path(folder_, layout::jobs_folder), job.name);
}

namespace {

void verify_reference(io::FileSystem& files, const FileReference& reference) {
    const auto info = files.find(reference.path);
    if (info == nullptr) {
        throw Error(ErrorKind::data,
                    "\"{}\" was removed after it was read; run again to read what there is now",
                    reference.path);
    }
    if (info->size != reference.size || info->modified_ns != reference.modified_ns) {
        throw Error(ErrorKind::data,
                    "\"{}\" was changed after it was read; run again to read what there is now",
                    reference.path);
    }
}

void verify_job(io::FileSystem& files, const std::string& path, const JobFile& job) {
    const std::unique_ptr<io::ReadFile> file = files.open_read(path);
    std::vector<char> part(std::size_t{1} << 20);
    Xxh3 hash;
    std::uint64_t bytes = 0;
    while (const std::size_t got = file->read(part.data(), part.size())) {
        hash.update({part.data(), got});
        bytes += got;
    }
    if (bytes != job.bytes || hash.digest() != job.checksum) {
        throw Error(ErrorKind::corrupt,
                    "the job file \"{}\" is damaged: its checksum is not the manifest's", path);
    }
}

}  // namespace

void Package::verify() const {
    const bool has_rows = has_rows_on_disk(folder_);
    if (has_rows) check_job_files(*files_, *this);
    for (const JobFile& job : manifest_.jobs) {
        if (job.reference) {
            verify_reference(*files_, *job.reference);
        } else if (has_rows) {
            verify_job(*files_, path_of(job), job);
        }
    }
}

void Package::journal(const Clock& clock, std::string_view step, json::Object details) {
    layout::append_journal(*files_, folder_, utc_text(clock.now_us()), step, details);
}

std::vector<json::Value> Package::read_journal() const {
    std::vector<json::Value> lines;
    const std::string path = io::join_path(folder_, layout::journal_file);
    if (files_->find(path) == nullptr) return lines;
    const std::string text = files_->read_text(path);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        json::Value line;
        // Crashes tear lines; each was replaced by the line of whoever came next.
        if (json::try_parse(std::string_view(text).substr(at, end - at), line) &&
            line.is_object()) {
            lines.push_back(std::move(line));
        }
        at = end + 1;
    }
    return lines;
}

PackageState Package::package_state() const {
    if (io::file_name(folder_).starts_with(layout::new_prefix)) return PackageState::extracting;
    if (has_rows_on_disk(folder_)) return PackageState::normalized;
    const std::vector<json::Value> lines = read_journal();
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        const json::Value* step = line->as_object().find("step");
        if (step == nullptr || !step->is_text()) continue;
        for (const PackageState state : {PackageState::loaded, PackageState::failed}) {
            if (step->as_text() == to_text(state)) return state;
        }
    }
    return PackageState::failed;
}

}  // namespace tipple::package
