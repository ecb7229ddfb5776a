#include "tipple/core/random.h"

#include <sys/random.h>

#include <cerrno>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"

namespace tipple {

std::string random_bytes(std::size_t length) {
    std::string bytes(length, '\0');
    std::size_t filled = 0;
    while (filled < length) {
        const ssize_t got = getrandom(bytes.data() + filled, length - filled, 0);
        if (got < 0 && errno == EINTR) continue;
        TIPPLE_ASSERT(got > 0);
        filled += static_cast<std::size_t>(got);
    }
    return bytes;
}

std::string random_id(std::size_t length) {
    return to_base64(random_bytes(length), Base64Padding::none).substr(0, length);
}

}  // namespace tipple
