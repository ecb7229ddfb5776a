#pragma once

namespace tipple {

/// A shared library that is opened when it is needed first and not with the process: the dynamic linker takes 4 ms for libcurl and libpq
/// with all they need, in every command, and most commands never use them (docs/decisions/0057-libraries-opened-late.md).
///
/// Once open it stays open until the process ends, as libraries that have state of the process must.
class SharedLibrary {
public:
    /// @param file  as the dynamic linker looks it up: its soname ("libpq.so.5"), or a path. Kept, not copied: a literal.
    /// @param purpose  what cannot be done without it ("Postgres"), for the message. Kept, not copied.
    /// @param package  Debian's package that has it ("libpq5"), for the message.
    /// Throws ErrorKind::local where there is none, with what the dynamic linker says.
    SharedLibrary(const char* file, const char* purpose, const char* package);

    /// Fills `function` with the function of this name. Throws ErrorKind::local where the library has none, because it is older than the
    /// one tipple was built with.
    template <typename Function>
    void find(const char* name, Function*& function) const {
        function = reinterpret_cast<Function*>(address(name));
    }

private:
    void* address(const char* name) const;

    const char* file_;
    const char* purpose_;
    void* handle_;
};

}  // namespace tipple
