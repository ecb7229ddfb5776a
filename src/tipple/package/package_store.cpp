#include <algorithm>
#include <limits>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/package/layout.h"
#include "tipple/package/package.h"

namespace tipple::package {

namespace {

/// The time in front of a package's name; names without one come last.
std::int64_t time_of(const std::string& id) {
    return try_load_id_time_us(std::string_view(id).substr(0, id.find_first_not_of("0123456789."))).value_or(std::numeric_limits<std::int64_t>::max());
}

/// Names of the packages in a folder, oldest first.
std::vector<std::string> ids_in(io::FileSystem& files, const std::string& folder) {
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (const io::FileInfo& entry : files.list(folder)) {
        std::string name = io::file_name(entry.path);
        if (entry.is_directory && !name.starts_with('.'))
            found.emplace_back(time_of(name), std::move(name));
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> ids;
    ids.reserve(found.size());
    for (auto& [time, id] : found) ids.push_back(std::move(id));
    return ids;
}

/// Deletes a package's folder. The new name comes first, so that a crash never leaves half a
/// package under its own name.
void delete_package(io::FileSystem& files, const std::string& parent, const std::string& id) {
    const std::string folder = io::join_path(parent, id);
    const std::string gone = io::join_path(parent, std::string(layout::gone_prefix) + id);
    files.remove(gone);
    if (files.find(folder) == nullptr) return;
    files.rename(folder, gone);
    files.sync_folder(parent);
    files.remove(gone);
}

}  // namespace

PackageStore::PackageStore(io::FileSystem& files, std::string folder)
    : files_(&files), folder_(std::move(folder)) {}

std::size_t PackageStore::remove_leftovers() {
    std::size_t removed = 0;
    for (const std::string_view part : {layout::packages_folder, layout::finished_folder}) {
        for (const io::FileInfo& entry : files_->list(io::join_path(folder_, part))) {
            const std::string name = io::file_name(entry.path);
            const std::string rows = io::join_path(entry.path, layout::jobs_folder);
            if (name.starts_with(layout::new_prefix) || name.starts_with(layout::gone_prefix)) {
                files_->remove(entry.path);
                ++removed;
            } else if (part == layout::finished_folder && files_->find(rows) != nullptr) {
                files_->remove(rows);
                ++removed;
            }
        }
    }
    return removed;
}

std::vector<std::string> PackageStore::pending_ids() const {
    return ids_in(*files_, io::join_path(folder_, layout::packages_folder));
}

std::vector<Package> PackageStore::pending() const {
    std::vector<Package> packages;
    const std::string parent = io::join_path(folder_, layout::packages_folder);
    for (const std::string& id : ids_in(*files_, parent))
        packages.emplace_back(*files_, io::join_path(parent, id));
    return packages;
}

std::vector<Package> PackageStore::finished() const {
    std::vector<Package> packages;
    const std::string parent = io::join_path(folder_, layout::finished_folder);
    for (const std::string& id : ids_in(*files_, parent))
        packages.emplace_back(*files_, io::join_path(parent, id));
    return packages;
}

std::unique_ptr<PackageWriter> PackageStore::create(std::string load_id,
                                                    std::uint64_t job_bytes_max) {
    return std::make_unique<PackageWriter>(*files_, io::join_path(folder_, layout::packages_folder),
                                           std::move(load_id), job_bytes_max);
}

void PackageStore::finish(const Package& package, PackageState state) {
    TIPPLE_ASSERT(state == PackageState::loaded || state == PackageState::failed);
    const std::string& id = package.load_id();
    const std::string packages = io::join_path(folder_, layout::packages_folder);
    const std::string finished = io::join_path(folder_, layout::finished_folder);
    const std::string from = io::join_path(packages, id);
    const std::string to = io::join_path(finished, id);
    if (files_->find(from) != nullptr) {
        layout::append_journal(*files_, from, utc_text(SystemClock().now_us()), to_text(state), {});
        files_->create_folders(finished);
        files_->sync_folder(folder_);
        // A finished one of the same name is history; a folder cannot be renamed onto it.
        delete_package(*files_, finished, id);
        files_->rename(from, to);
        files_->sync_folder(finished);
        files_->sync_folder(packages);
    }
    files_->remove(io::join_path(to, layout::jobs_folder));
}

void PackageStore::retain(std::size_t keep) {
    const std::string finished = io::join_path(folder_, layout::finished_folder);
    std::vector<std::string> ids = ids_in(*files_, finished);
    for (std::size_t i = 0; i + keep < ids.size(); ++i) delete_package(*files_, finished, ids[i]);
}

void PackageStore::discard(const Package& package) {
    discard(package.load_id());
}

void PackageStore::discard(const std::string& load_id) {
    TIPPLE_ASSERT(layout::is_safe_name(load_id));
    delete_package(*files_, io::join_path(folder_, layout::packages_folder), load_id);
}

}  // namespace tipple::package
