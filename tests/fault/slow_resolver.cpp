// A library that is preloaded into a program (LD_PRELOAD) and answers look-ups of names: for *.late.test after a moment with this machine's address, for *.never.test never. It says on stderr
// that one has begun.

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <string>
#include <string_view>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
    const std::string_view name = node != nullptr ? node : "";
    if (name.ends_with(".never.test") || name.ends_with(".late.test")) {
        const std::string line = "looking up " + std::string(name) + "\n";
        if (write(STDERR_FILENO, line.data(), line.size()) < 0) return EAI_SYSTEM;
        while (name.ends_with(".never.test")) sleep(600);
        usleep(100'000);
        node = "127.0.0.1";
    }
    static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(node, service, hints, found);
}
