// domed-plugin-probe: the process in which a plugin is tried out by `dome plugin check`, the room CProbe as a program.
// It takes the plugin through its life as the channel on descriptor 3 says, under a checking allocator and with guarded
// memory, and may be ended by the plugin at any moment: that is a result.
//
// Never linked by SwiftPM: see ops/probe.mk.
#include "session.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#define CHANNEL 3

int main(int count, char **arguments) {
    if (count != 3) {
        fputs("domed-plugin-probe: tries a plugin out; started by 'dome plugin check', never by hand\n", stderr);
        return 2;
    }
    // What the plugin starts ends with this, or is found; and a crash leaves no core file.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    return session_run(arguments[1], arguments[2], CHANNEL);
}
