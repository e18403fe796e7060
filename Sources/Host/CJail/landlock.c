// Landlock: a second lock behind the mounts, and the scopes. Even with a hole in the mounts (a tree that should not
// be there, a descriptor of a host folder) a job reads and executes only the curated root and what it was granted,
// and writes only its own folders, the harmless devices, its terminal and what was granted for writing.
//
// /proc is read-only, all of it: its files are made per process, so no rule can tell a job's own from
// /proc/sys/kernel/core_pattern. What programs write there they do without: a thread names itself by prctl, and who
// adjusts oom_score_adj or another thread's comm takes a refusal.
//
// TCP is not handled: no permission speaks of ports. A job has no network, its own loopback, or the host's.
//
// Rules that all jobs share are in a ruleset that is made ahead; a job adds its own and enters. What the kernel's
// ABI does not know is not handled. Scopes came with ABI 6 (kernel 6.12): before it the server gives a job that may
// make Unix sockets a network namespace of its own, and signals end at the PID namespace anyhow.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// linux/landlock.h as of ABI 9; Debian 12's ends at 2.
enum {
    EXECUTE = 1u << 0, WRITE_FILE = 1u << 1, READ_FILE = 1u << 2, READ_DIR = 1u << 3, REMOVE_DIR = 1u << 4,
    REMOVE_FILE = 1u << 5, MAKE_CHAR = 1u << 6, MAKE_DIR = 1u << 7, MAKE_REG = 1u << 8, MAKE_SOCK = 1u << 9,
    MAKE_FIFO = 1u << 10, MAKE_BLOCK = 1u << 11, MAKE_SYM = 1u << 12, REFER = 1u << 13, TRUNCATE = 1u << 14,
    IOCTL_DEV = 1u << 15, RESOLVE_UNIX = 1u << 16,
};
enum { SCOPE_ABSTRACT_UNIX_SOCKET = 1u << 0, SCOPE_SIGNAL = 1u << 1 };
enum { RULESET_VERSION = 1u << 0, PATH_BENEATH = 1, ABI_WITH_SCOPES = 6 };
struct ruleset {
    uint64_t handled_files, handled_network, scoped;
};
struct path_beneath {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

enum {
    // What a rule on something that is no folder may speak of.
    FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX,
    LOOK = EXECUTE | READ_FILE | READ_DIR,
    CHANGE = LOOK | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM |
             REFER | TRUNCATE,
    // By ioctl they take nothing that is anybody's; without the right, programs would see odd errors.
    DEVICE = READ_FILE | WRITE_FILE | IOCTL_DEV,
    PLACE_LIMIT = 96,
};

// By ABI; [0]: none.
static const uint64_t handled_by_abi[] = {
    0,
    (MAKE_SYM << 1) - 1, (REFER << 1) - 1, (TRUNCATE << 1) - 1, (TRUNCATE << 1) - 1, (IOCTL_DEV << 1) - 1,
    (IOCTL_DEV << 1) - 1, (IOCTL_DEV << 1) - 1, (IOCTL_DEV << 1) - 1, (RESOLVE_UNIX << 1) - 1,
};
enum { NEWEST_ABI = sizeof handled_by_abi / sizeof *handled_by_abi - 1 };

static uint64_t handled;
// Of the curated root, the same for all jobs.
static struct place {
    int fd;
    uint64_t access;
} places[PLACE_LIMIT];
static size_t place_count;
static bool has_scopes;
static int spare = -1;

int landlock_abi(int limit) {
    if (limit < 0) return 0;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    if (limit > 0 && abi > limit) abi = limit;
    return abi < 0 ? 0 : abi > NEWEST_ABI ? NEWEST_ABI : (int)abi;
}

int dome_jail_landlock_abi(void) { return landlock_abi(0); }

bool landlock_has_scopes(const struct server *server) { return server->landlock_abi >= ABI_WITH_SCOPES; }

static bool add_rule(int ruleset, int fd, uint64_t access) {
    struct path_beneath rule = {.access = access & handled, .parent = fd};
    return rule.access == 0 || syscall(SYS_landlock_add_rule, ruleset, PATH_BENEATH, &rule, 0) == 0;
}

// Absent is fine: so it is for the jobs.
static bool add_place(const char *path, uint64_t access) {
    struct stat status;
    if (lstat(path, &status) < 0 || S_ISLNK(status.st_mode)) return true;
    if (place_count == PLACE_LIMIT) return errno = E2BIG, false;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    places[place_count++] = (struct place){fd, S_ISDIR(status.st_mode) ? access : access & FILE_RIGHTS};
    return true;
}

bool landlock_open(struct server *server, struct failure *failure) {
    static const struct { const char *path; uint64_t access; } shared[] = {
        // Listing alone: what is mounted below is readable only by a rule of its own.
        {"/", READ_DIR}, {"/etc", LOOK}, {"/usr", LOOK}, {"/bin", LOOK}, {"/sbin", LOOK}, {"/lib", LOOK},
        {"/lib32", LOOK}, {"/lib64", LOOK}, {"/libx32", LOOK}, {"/dev/null", DEVICE}, {"/dev/zero", DEVICE},
        {"/dev/full", DEVICE}, {"/dev/random", DEVICE}, {"/dev/urandom", DEVICE},
    };
    handled = handled_by_abi[server->landlock_abi];
    has_scopes = landlock_has_scopes(server);
    if (handled == 0) return true;
    for (size_t index = 0; index < sizeof shared / sizeof *shared; index++) {
        if (add_place(shared[index].path, shared[index].access)) continue;
        return fail(failure, DOME_JAIL_STAGE_LANDLOCK, errno, shared[index].path);
    }
    for (size_t index = 0; server->system_paths[index] != NULL; index++) {
        if (add_place(server->system_paths[index], LOOK)) continue;
        return fail(failure, DOME_JAIL_STAGE_LANDLOCK, errno, server->system_paths[index]);
    }
    return true;
}

static int make(void) {
    struct ruleset head = {
        .handled_files = handled, .scoped = has_scopes ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &head, sizeof head, 0);
    for (size_t index = 0; ruleset >= 0 && index < place_count; index++) {
        if (add_rule(ruleset, places[index].fd, places[index].access)) continue;
        int error = errno;
        close(ruleset);
        errno = error;
        return -1;
    }
    return ruleset;
}

bool landlock_take(struct job *job, struct failure *failure) {
    job->landlock = spare;
    spare = -1;
    if (handled == 0 || job->landlock >= 0) return true;
    job->landlock = make();
    return job->landlock >= 0 || fail(failure, DOME_JAIL_STAGE_LANDLOCK, errno, "curated root");
}

void landlock_refill(void) {
    // A failure is the next job's to meet, and to name.
    if (spare < 0 && handled != 0) spare = make();
}

static bool add_path(int ruleset, const char *path, uint64_t access) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return false;
    bool is_good = add_rule(ruleset, fd, access);
    int error = errno;
    close(fd);
    errno = error;
    return is_good;
}

// By the inode, so it holds for the terminal's end of the host, by which /dev/stdin leads to it, as well.
static bool add_terminal(const struct job *job) {
    if (job->descriptors[FD_TERMINAL] < 0) return true;
    return add_rule(job->landlock, job->descriptors[FD_TERMINAL], DEVICE) &&
           add_path(job->landlock, "/dev/tty", DEVICE) && add_path(job->landlock, "/dev/pts", DEVICE);
}

static bool add_grants(const struct job *job, struct failure *failure) {
    const struct plan *plan = &job->plan;
    uint64_t sockets = (plan->head->flags & DOME_JAIL_UNIX_SOCKETS) ? RESOLVE_UNIX : 0;
    for (uint32_t index = 0; index < plan->head->mount_count; index++) {
        uint64_t access = (plan->mounts[index].flags & DOME_JAIL_MOUNT_WRITABLE) ? CHANGE : LOOK;
        if (!job->grants[index].is_directory) access &= FILE_RIGHTS;
        if (add_rule(job->landlock, job->grants[index].tree, access | sockets)) continue;
        return fail(failure, DOME_JAIL_STAGE_LANDLOCK, errno, plan->bytes + plan->mounts[index].target);
    }
    return true;
}

bool child_landlock(struct job *job, struct failure *failure) {
    if (weak_in(WEAK_LANDLOCK)) {
        job->layers |= DOME_JAIL_LAYER_LANDLOCK_FILES | DOME_JAIL_LAYER_LANDLOCK;
        return true;
    }
    if (job->landlock < 0) return true;
    if (!add_rule(job->landlock, job->work, CHANGE) || !add_rule(job->landlock, job->tmp, CHANGE) ||
        !add_rule(job->landlock, job->shm, CHANGE) ||
        !add_path(job->landlock, "/proc", READ_FILE | READ_DIR) || !add_terminal(job)) {
        return fail(failure, DOME_JAIL_STAGE_LANDLOCK, errno, "own folders");
    }
    if (!add_grants(job, failure)) return false;
    if (syscall(SYS_landlock_restrict_self, job->landlock, 0) < 0) {
        return fail(failure, DOME_JAIL_STAGE_LANDLOCK, errno, NULL);
    }
    job->layers |= DOME_JAIL_LAYER_LANDLOCK_FILES;
    if (has_scopes) job->layers |= DOME_JAIL_LAYER_LANDLOCK;
    return true;
}
