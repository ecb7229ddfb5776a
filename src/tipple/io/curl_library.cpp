#include "tipple/io/curl_library.h"

#include "tipple/core/error.h"
#include "tipple/core/shared_library.h"

namespace tipple::io {

namespace {

CurlLibrary open_library() {
    const SharedLibrary file(TIPPLE_LIBRARY_CURL, "HTTP", "libcurl4");
    CurlLibrary library;
#define TIPPLE_CURL_FIND(name) file.find(#name, library.name);
    TIPPLE_CURL_FUNCTIONS(TIPPLE_CURL_FIND)
#undef TIPPLE_CURL_FIND
    const CURLcode ready = library.curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) throw Error(ErrorKind::local, "the HTTP library cannot be started: {}", library.curl_easy_strerror(ready));
    return library;
}

}  // namespace

const CurlLibrary& curl() {
    static const CurlLibrary library = open_library();
    return library;
}

}  // namespace tipple::io
