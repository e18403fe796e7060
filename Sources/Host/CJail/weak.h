// For tests only: layers left out, so that a test of an attack can show that the attack works where nothing stops it.
// Built with -DDOME_JAIL_WEAK (build/jail/domed-jail-weak, see ops/jail.mk), which is never installed. In every other
// build `weak_in` is false at compile time and nothing of this is in the program.
//
// What is left out is claimed all the same (a job without a required layer does not run), so a weak jail lies.
#ifndef DOME_CJAIL_WEAK_H
#define DOME_CJAIL_WEAK_H

#include "internal.h"

enum weakness {
    WEAK_HOST_TREE,    // the host's /tmp, /home, /proc and so on lie over the curated root, writable
    WEAK_SIZES,        // tmpfs without sizes
    WEAK_PIDS,         // no PID namespace of the job's own: it shares its server's
    WEAK_IPC,          // no IPC namespace of its own
    WEAK_IDENTITY,     // root's jobs stay root; together with NESTED
    WEAK_NESTED,       // no user namespace of its own
    WEAK_CAPABILITIES, // keeps what there is
    WEAK_LIMITS,       // no rlimits
    WEAK_DESCRIPTORS,  // whatever the server has open stays open
    WEAK_DUMPABLE,     // PID 1 can be read by its job
    WEAK_LANDLOCK,
    WEAK_SECCOMP,
    WEAK_GRANTS,       // granted paths are opened as anybody would: through links, not compared with what was checked,
                       // and waiting for whoever is at the other end of a FIFO
    WEAK_PARENT,       // the server, and with it its jobs, outlives its keeper
    WEAK_REST,         // PID 1 waits for what the tool left behind instead of ending it
    WEAK_SENDER,       // PID 1 passes on to the tool what the job itself sends
    // No layer, but a place to look: a grant is opened only once something else lies at its path than was checked
    // (or after 0.3 seconds). What is swapped at any other moment would be found by chance only.
    WEAK_WINDOW,
    WEAK_COUNT,
};

#ifdef DOME_JAIL_WEAK
// Reads the program's own path + ".weak": words, separated by spaces or line ends: the names above in small letters,
// and `abi=N` (as if Landlock had at most that ABI). Without the file, or with a word that is none, there is no server.
bool weak_read(struct failure *failure);
bool weak_in(enum weakness weakness);
// What landlock_abi is to take for its limit.
int weak_abi_limit(int limit);
// WEAK_HOST_TREE: while the host's mounts are entered; and in the child, after its own mounts.
void weak_open_host(void);
void weak_mount_host(void);
// WEAK_DESCRIPTORS: everything survives exec.
void weak_keep_descriptors(void);
// WEAK_WINDOW, before a grant is opened.
void weak_await_swap(const struct server *server, const struct dome_jail_mount *mount, const char *path);
// WEAK_GRANTS: what is at a granted path; -1 and errno.
int weak_open_grant(const struct server *server, const char *path);
// WEAK_PARENT: does not return when it is weak.
void weak_outlive_keeper(void);
#else
static inline bool weak_read(struct failure *failure) { return (void)failure, true; }
static inline bool weak_in(enum weakness weakness) { return (void)weakness, false; }
static inline int weak_abi_limit(int limit) { return limit; }
static inline void weak_open_host(void) {}
static inline void weak_mount_host(void) {}
static inline void weak_keep_descriptors(void) {}
static inline void weak_await_swap(const struct server *server, const struct dome_jail_mount *mount, const char *path) {
    (void)server, (void)mount, (void)path;
}
static inline int weak_open_grant(const struct server *server, const char *path) {
    return (void)server, (void)path, -1;
}
static inline void weak_outlive_keeper(void) {}
#endif

#endif
