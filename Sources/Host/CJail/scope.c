// Landlock scopes: no signal and no connection to an abstract Unix socket leaves the job. The jobs of a server
// share its network namespace, and with it its abstract sockets, so without this (kernels before 6.12, ABI 6) a job
// that may make Unix sockets gets a network namespace of its own; signals end at its PID namespace anyhow.
// The ruleset has no rules, so one serves all jobs: each entering makes a domain of its own.
#include "internal.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

// linux/landlock.h as of ABI 6; Debian 12's ends before it.
struct ruleset {
    uint64_t handled_files, handled_network, scoped;
};
enum { RULESET_VERSION = 1u << 0, SCOPE_ABSTRACT_UNIX_SOCKET = 1u << 0, SCOPE_SIGNAL = 1u << 1, ABI_WITH_SCOPES = 6 };

int scope_open(int abi_limit) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    if (abi_limit > 0 && abi > abi_limit) abi = abi_limit;
    if (abi < ABI_WITH_SCOPES) return -1;
    struct ruleset ruleset = {.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL};
    return (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0);
}

bool child_scope(struct job *job, struct failure *failure) {
    if (job->server->scope < 0) return true;
    if (syscall(SYS_landlock_restrict_self, job->server->scope, 0) < 0) {
        return fail(failure, DOME_JAIL_STAGE_LANDLOCK, errno, NULL);
    }
    job->layers |= DOME_JAIL_LAYER_LANDLOCK;
    return true;
}
