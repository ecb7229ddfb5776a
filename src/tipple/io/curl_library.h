#pragma once

// Calls go through pointers, which the checks of the header's macros do not see.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define TIPPLE_CURL_FUNCTIONS(use) \
    use(curl_easy_cleanup) use(curl_easy_getinfo) use(curl_easy_init) use(curl_easy_pause) use(curl_easy_reset) use(curl_easy_setopt) \
    use(curl_easy_strerror) use(curl_free) use(curl_global_init) use(curl_multi_add_handle) use(curl_multi_cleanup) use(curl_multi_info_read) \
    use(curl_multi_init) use(curl_multi_perform) use(curl_multi_poll) use(curl_multi_remove_handle) use(curl_multi_strerror) \
    use(curl_slist_append) use(curl_slist_free_all) use(curl_url) use(curl_url_cleanup) use(curl_url_get) use(curl_url_set)

namespace tipple::io {

/// The functions of libcurl that are used here, by its own names.
struct CurlLibrary {
#define TIPPLE_CURL_MEMBER(name) decltype(&::name) name = nullptr;
    TIPPLE_CURL_FUNCTIONS(TIPPLE_CURL_MEMBER)
#undef TIPPLE_CURL_MEMBER
};

/// libcurl, which the first call opens and makes ready (`curl_global_init`). From any thread. Throws ErrorKind::local where it is missing.
const CurlLibrary& curl();

}  // namespace tipple::io
