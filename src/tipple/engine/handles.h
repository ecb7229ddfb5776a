#pragma once

// Private to the module: owners of the library's handles. The functions it deprecates are hidden by
// DUCKDB_API_NO_DEPRECATED (see CMakeLists.txt) everywhere but in deprecated_calls.cpp.
#include <utility>

#include <duckdb.h>

namespace tipple::engine {

/// Owns one handle, which `destroy` sets to null.
template <typename T, void (*destroy)(T*)>
class Handle {
public:
    Handle() = default;
    explicit Handle(T handle) : handle_(handle) {}
    Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Handle() { reset(); }

    void reset() {
        if (handle_ != nullptr) destroy(&handle_);
        handle_ = nullptr;
    }
    /// For functions that create the handle.
    T* out() {
        reset();
        return &handle_;
    }
    T get() const { return handle_; }
    explicit operator bool() const { return handle_ != nullptr; }

private:
    T handle_ = nullptr;
};

using DatabaseHandle = Handle<duckdb_database, duckdb_close>;
using ConnectionHandle = Handle<duckdb_connection, duckdb_disconnect>;
using ConfigHandle = Handle<duckdb_config, duckdb_destroy_config>;
using ExtractedHandle = Handle<duckdb_extracted_statements, duckdb_destroy_extracted>;
using PreparedHandle = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using PendingHandle = Handle<duckdb_pending_result, duckdb_destroy_pending>;
using ChunkHandle = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using TypeHandle = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;

/// Owns a result, which the library keeps in a struct of the caller's.
class ResultHandle {
public:
    ResultHandle() = default;
    ResultHandle(const ResultHandle&) = delete;
    ResultHandle& operator=(const ResultHandle&) = delete;
    ~ResultHandle() { duckdb_destroy_result(&result_); }

    void reset() {
        duckdb_destroy_result(&result_);
        result_ = {};
    }
    duckdb_result* out() {
        reset();
        return &result_;
    }
    duckdb_result* get() { return &result_; }

private:
    duckdb_result result_{};
};

/// Text that the library allocated, or nothing.
class LibraryText {
public:
    explicit LibraryText(char* text) : text_(text) {}
    LibraryText(const LibraryText&) = delete;
    LibraryText& operator=(const LibraryText&) = delete;
    ~LibraryText() { duckdb_free(text_); }
    const char* get() const { return text_; }

private:
    char* text_;
};

}  // namespace tipple::engine
