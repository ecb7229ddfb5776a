#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/io/file_system.h"

namespace tipple::support {

/// Real files until call N that changes something; that call, and every change after it, fails. So
/// what is on disk is what a process killed at this point would leave (with a torn write when call
/// N writes).
class CrashingFileSystem final : public io::FileSystem {
public:
    CrashingFileSystem(io::FileSystem& files, int crash_at) : files_(files), left_(crash_at) {}

    bool has_crashed() const { return left_ <= 0; }

    std::unique_ptr<io::ReadFile> open_read(const std::string& path) override {
        return files_.open_read(path);
    }
    std::unique_ptr<io::DiskFile> create(const std::string& path) override {
        step();
        return std::make_unique<File>(*this, files_.create(path));
    }
    std::unique_ptr<io::DiskFile> open_append(const std::string& path) override {
        step();
        return std::make_unique<File>(*this, files_.open_append(path));
    }
    std::unique_ptr<io::FileInfo> find(const std::string& path) override {
        return files_.find(path);
    }
    std::vector<io::FileInfo> list(const std::string& folder) override {
        return files_.list(folder);
    }
    void create_folders(const std::string& folder) override {
        step();
        files_.create_folders(folder);
    }
    void rename(const std::string& from, const std::string& to) override {
        step();
        files_.rename(from, to);
    }
    /// Removing a folder is many steps: before it fails, a part of the folder is gone.
    void remove(const std::string& path) override {
        const auto info = files_.find(path);
        if (info != nullptr && info->is_directory && !info->is_link) {
            for (const io::FileInfo& entry : files_.list(path)) remove(entry.path);
        }
        step();
        files_.remove(path);
    }
    void sync_folder(const std::string& folder) override {
        step();
        files_.sync_folder(folder);
    }
    std::uint64_t free_bytes(const std::string& path) override { return files_.free_bytes(path); }
    std::unique_ptr<io::FileLock> try_lock(const std::string& path,
                                           std::string_view note) override {
        return files_.try_lock(path, note);
    }

private:
    class File final : public io::DiskFile {
    public:
        File(CrashingFileSystem& owner, std::unique_ptr<io::DiskFile> file)
            : owner_(owner), file_(std::move(file)) {}
        void write(std::string_view bytes) override {
            if (owner_.left_ == 1) file_->write(bytes.substr(0, bytes.size() / 2));
            if (owner_.left_ == 1) file_->sync();
            owner_.step();
            file_->write(bytes);
        }
        void start_writeback() override { file_->start_writeback(); }
        void sync() override {
            owner_.step();
            file_->sync();
        }
        void truncate(std::uint64_t size) override {
            owner_.step();
            file_->truncate(size);
        }
        void close() override {
            owner_.step();
            file_->close();
        }
        std::uint64_t size() const override { return file_->size(); }

    private:
        CrashingFileSystem& owner_;
        std::unique_ptr<io::DiskFile> file_;
    };

    void step() {
        if (--left_ <= 0) throw Error(ErrorKind::local, "the power is gone");
    }

    io::FileSystem& files_;
    int left_;
};

}  // namespace tipple::support
