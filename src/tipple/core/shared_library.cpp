#include "tipple/core/shared_library.h"

#include <dlfcn.h>

#include "tipple/core/error.h"

namespace tipple {

SharedLibrary::SharedLibrary(const char* file, const char* purpose, const char* package)
    : file_(file), purpose_(purpose), handle_(dlopen(file, RTLD_LAZY | RTLD_LOCAL)) {
    if (handle_ != nullptr) return;
    throw Error(ErrorKind::local, "{} needs a library that cannot be opened: {}; install the package that has it, which is {} in Debian", purpose, dlerror(), package);
}

void* SharedLibrary::address(const char* name) const {
    void* found = dlsym(handle_, name);
    if (found == nullptr) throw Error(ErrorKind::local, "{} needs a newer {}: this one has no {}", purpose_, file_, name);
    return found;
}

}  // namespace tipple
