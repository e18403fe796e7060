// The door of the inner server: a constructor, so that a process named DOME_JAIL_ARGV0 never reaches main
// (and with it the Swift runtime). Constructors get main's arguments from glibc, static or dynamic.
#include "CJail.h"

#include <string.h>

__attribute__((constructor)) static void enter_server(int argc, char **argv) {
    if (argc >= 1 && strcmp(argv[0], DOME_JAIL_ARGV0) == 0) {
        dome_jail_serve(argc, argv);
    }
}
