#include "cli/exit_code.h"

namespace tipple::cli {

int to_exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return 2;
        case ErrorKind::data:
            return 3;
        case ErrorKind::transient:
            return 4;
        case ErrorKind::remote:
            return 5;
        case ErrorKind::corrupt:
            return 6;
        case ErrorKind::locked:
        case ErrorKind::conflict:
            return 9;
        case ErrorKind::local:
            return 10;
        case ErrorKind::cancelled:
            return exit_interrupted;
    }
    return exit_bug;
}

}  // namespace tipple::cli
