#include "tipple/postgres/libpq_library.h"

#include "tipple/core/shared_library.h"

namespace tipple::postgres {

namespace {

LibpqLibrary open_library() {
    const SharedLibrary file(TIPPLE_LIBRARY_LIBPQ, "Postgres", "libpq5");
    LibpqLibrary library;
#define TIPPLE_LIBPQ_FIND(name) file.find(#name, library.name);
    TIPPLE_LIBPQ_FUNCTIONS(TIPPLE_LIBPQ_FIND)
#undef TIPPLE_LIBPQ_FIND
    return library;
}

}  // namespace

const LibpqLibrary& libpq() {
    static const LibpqLibrary library = open_library();
    return library;
}

}  // namespace tipple::postgres
