// What the files of this room share. Everything in a job's child (child.c, mounts.c, rights.c, tool.c) runs
// between fork and exec: system calls and the stack only, no allocation, no stdio, no locks.
#ifndef DOME_CJAIL_INTERNAL_H
#define DOME_CJAIL_INTERNAL_H

#include "CJail.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

enum {
    PATH_BYTES = 4096,
    NAME_BYTES = 258,
    SERVER_SOCKET = 3, // requests come by it
    REPLY_SOCKET = 4,  // replies go by it, nothing can be read from it: a job's PID 1 keeps it to the end
    MOUNT_LIMIT = 64,
    LIMIT_LIMIT = 16,
    FILE_LIMIT = 1024,
    JOB_LIMIT = 4096,
};

// Descriptors of a START, in the order in which they travel; SPEC is the memfd of a large spec.
enum { FD_INPUT, FD_OUTPUT, FD_ERROR, FD_PROGRESS, FD_TERMINAL, FD_CGROUP, FD_GATE, FD_SPEC, FD_COUNT };

enum request_kind { REQUEST_START = 1, REQUEST_SIGNAL, REQUEST_KILL };

// A request as it travels; a START's inline spec follows it.
struct request {
    uint32_t version, kind;
    uint64_t token;
    uint32_t spec_size, descriptor_mask;
    int32_t signal;
    uint32_t reserved;
};

// What stopped a start. `detail` is copied at once, so it may point anywhere.
struct failure {
    uint32_t stage;
    int error;
    char detail[DOME_JAIL_DETAIL];
};

// Sets `failure` and returns false, so that a step can `return fail(…)`.
bool fail(struct failure *failure, uint32_t stage, int error, const char *detail);

// A decoded spec: pointers into the message, every offset and count checked.
struct plan {
    const struct dome_jail_spec *head;
    const struct dome_jail_mount *mounts;
    const struct dome_jail_limit *limits;
    const struct dome_jail_file *files;
    const uint32_t *arguments, *environment;
    const char *bytes;
};

bool plan_decode(struct plan *plan, const void *spec, size_t size, struct failure *failure);
// The string at `offset`, or `otherwise` when there is none.
const char *plan_string(const struct plan *plan, uint32_t offset, const char *otherwise);

// Written by a job's PID 1 into memory shared with the server, read by the server once that PID 1 is dead.
struct outcome {
    uint32_t executed;
    uint32_t finished; // `status` is the tool's
    uint32_t reported; // PID 1 has told the keeper the end itself
    int32_t status;
    uint64_t layers;
    struct failure failure;
};

// The server. One per process, single-threaded.
struct server {
    bool is_root;     // no outer user namespace: jobs drop to an unprivileged uid
    bool full_network;
    int host_root;    // O_PATH of the host's /
    int host_mounts;  // mount namespace with the host's tree: granted paths are opened here
    int jail_mounts;  // mount namespace with the curated root alone: jobs are cloned from here
    int writable_root; // detached writable mount of the curated root's tmpfs
    int own_proc;     // O_PATH of the /proc of the server's PID namespace, whatever namespace it is in
    int landlock_abi; // of the kernel, as far as we know it; 0: it has no Landlock
    int last_capability;
    uint64_t layers;  // of every job
    const char *const *system_paths;
};

bool root_build(struct server *server, struct failure *failure);
// Brings files that change on a running host (resolv.conf) up to date; net=full only.
void root_refresh(struct server *server);
// Makes /name in the curated root if it is not there.
bool root_ensure_top(struct server *server, const char *target, bool is_directory, struct failure *failure);

// A granted path, ready to be moved into place.
struct grant {
    int tree; // detached mount
    bool is_directory;
};

// Everything a job's child needs.
struct job {
    const struct server *server;
    struct plan plan;
    struct grant grants[MOUNT_LIMIT];
    int work, tmp, shm; // detached mounts for /job, /tmp and /dev/shm
    int terminal; // detached mount of the host's /dev/tty, or -1
    int landlock; // ruleset with the rules that all jobs share, or -1
    int descriptors[FD_COUNT];
    uint64_t token, layers;
    struct outcome *outcome;
};

bool grants_open(struct server *server, struct job *job, struct failure *failure);
void grants_close(struct job *job);

enum tmpfs_use { TMPFS_WORK, TMPFS_TMP, TMPFS_SHM, TMPFS_COUNT };
struct tmpfs_kind {
    uint64_t bytes;
    uint32_t mode;
    bool is_owned; // by `uid` and `gid`; else by the server
    uint32_t uid, gid;
};
// A detached tmpfs of its own, the caller's to close; -1 and errno.
int ahead_take_tmpfs(enum tmpfs_use use, const struct tmpfs_kind *kind);
// The clone flags that give the next child an IPC namespace of its own: none if the server is in one that it leaves
// to that child.
uint64_t ahead_take_ipc(void);
// Makes the next ones, like the last; for moments in which nobody waits.
void ahead_refill(void);

// The host's /dev/tty, for a job with a terminal; called while the host's mounts are entered.
bool terminal_open(struct server *server, struct job *job, struct failure *failure);

// The job's PID 1: never returns.
void child_run(struct job *job) __attribute__((noreturn));
bool child_mounts(const struct job *job, struct failure *failure);
bool child_terminal(const struct job *job, struct failure *failure);
bool child_network(struct failure *failure);
bool child_identity(const struct job *job, struct failure *failure);
bool child_nested_user(const struct job *job, struct failure *failure);
bool child_files(const struct job *job, struct failure *failure);
bool child_capabilities(const struct job *job, struct failure *failure);
bool child_limits(const struct job *job, struct failure *failure);
// Compiles the system call filters; once per server, before the first job.
bool filters_compile(struct failure *failure);
bool child_filter(const struct job *job, struct failure *failure);
// The kernel's ABI of Landlock, 0 without. For tests at most `limit`, none at all if that is negative; 0: no limit.
int landlock_abi(int limit);
bool landlock_has_scopes(const struct server *server);
// Opens what the rules of all jobs are about; from inside the finished curated root.
bool landlock_open(struct server *server, struct failure *failure);
// Gives the job its ruleset, one made ahead if there is one.
bool landlock_take(struct job *job, struct failure *failure);
// Makes the next job's, for moments in which nobody waits.
void landlock_refill(void);
bool child_landlock(struct job *job, struct failure *failure);
// Starts the tool; its pid, or -1 with the failure in the job's outcome.
pid_t child_start_tool(struct job *job, char *const *arguments, char *const *environment);

// Sends a reply on the socket for them; `descriptor` -1 for none. False, with errno: nobody got it.
bool reply_send(const struct dome_jail_reply *reply, int descriptor);
void reply_failure(uint64_t token, const struct failure *failure, uint64_t layers);
void reply_ready(const struct server *server);
// The end as a job's PID 1 tells it, alone in its namespace: what it used itself, and what all others did.
bool reply_exit(uint64_t token, const struct outcome *outcome, const struct rusage *own, const struct rusage *others);
// The end as the death of its PID 1 tells it, with that one's wait status and usage.
void reply_death(uint64_t token, const struct outcome *outcome, bool is_killed, int status,
                 const struct rusage *usage);

// System calls that glibc has no name for, or only in new versions; -1 and errno as usual.
// `cgroup`: the group in which the child is born, or -1.
int sys_pidns_clone(uint64_t flags, int cgroup, int *pidfd);
int sys_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int sys_mount_attributes(int tree, uint64_t set, uint64_t clear, uint64_t propagation, int user_namespace);
int sys_move_mount(int tree, int directory, const char *path);
bool write_file(int directory, const char *path, const char *text, size_t size);

#endif
