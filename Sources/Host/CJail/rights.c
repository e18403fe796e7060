// What a job's PID 1 gives up, in the order in which it must: identity, then the nested user namespace, then
// everything that namespace gave it. Each function is one layer; the next ones (Landlock, seccomp) go beside them.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

bool child_network(struct failure *failure) {
    int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP;
    if (socket_fd < 0 || ioctl(socket_fd, SIOCSIFFLAGS, &request) < 0) {
        return fail(failure, DOME_JAIL_STAGE_NETWORK, errno, "lo");
    }
    close(socket_fd);
    return true;
}

static bool set_capabilities(uint64_t capabilities) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    data[0].effective = data[0].permitted = (uint32_t)capabilities;
    data[1].effective = data[1].permitted = (uint32_t)(capabilities >> 32);
    return syscall(SYS_capset, &header, data) == 0;
}

// Its own output pipes and its terminal, so that a script may open /dev/stdout or /dev/stderr again, as any user's
// can. Nothing else of what was passed: /dev/null, say, is the host's. Without the right to, they stay root's.
static void give_streams(const struct job *job, uint32_t uid, uint32_t gid) {
    static const int given[] = {FD_OUTPUT, FD_ERROR, FD_TERMINAL};
    for (size_t index = 0; index < sizeof given / sizeof *given; index++) {
        struct stat status;
        int fd = job->descriptors[given[index]];
        if (fd < 0 || fstat(fd, &status) < 0) continue;
        if (!S_ISFIFO(status.st_mode) && given[index] != FD_TERMINAL) continue;
        if (fchown(fd, uid, gid) < 0) continue;
    }
}

// As root only. CAP_SYS_ADMIN is kept for one more step: hosts that forbid ordinary users to make user namespaces
// (sysctl, AppArmor) must not forbid it to a job whose server is root.
bool child_identity(const struct job *job, struct failure *failure) {
    uint32_t uid = job->plan.head->uid, gid = job->plan.head->gid;
    if (!job->server->is_root || weak_in(WEAK_IDENTITY)) return true;
    give_streams(job, uid, gid);
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || syscall(SYS_setgroups, 0, NULL) < 0 ||
        syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0 ||
        !set_capabilities(1ull << CAP_SYS_ADMIN) || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0) {
        return fail(failure, DOME_JAIL_STAGE_IDENTITY, errno, NULL);
    }
    return true;
}

// "UID UID 1\n", without stdio.
static bool write_own_map(const char *path, uint32_t id) {
    char digits[12], text[40];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + id % 10);
        id /= 10;
    } while (id > 0);
    char *end = text;
    for (int twice = 0; twice < 2; twice++) {
        for (size_t index = count; index > 0; index--) *end++ = digits[index - 1];
        *end++ = ' ';
    }
    *end++ = '1';
    *end++ = '\n';
    return write_file(AT_FDCWD, path, text, (size_t)(end - text));
}

// Entered after the mounts, so that these belong to a namespace in which the job has no rights, and before the
// limits: RLIMIT_NPROC then counts this job alone and is not made the cap of all that share its uid.
bool child_nested_user(const struct job *job, struct failure *failure) {
    if (weak_in(WEAK_NESTED)) return true;
    uint32_t uid = job->server->is_root ? job->plan.head->uid : geteuid();
    uint32_t gid = job->server->is_root ? job->plan.head->gid : getegid();
    if (unshare(CLONE_NEWUSER) < 0) return fail(failure, DOME_JAIL_STAGE_NESTED, errno, NULL);
    // A change of uid made us undumpable, and /proc/self/*_map root's.
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 || !write_file(AT_FDCWD, "/proc/self/setgroups", "deny", 4) ||
        !write_own_map("/proc/self/uid_map", uid) || !write_own_map("/proc/self/gid_map", gid) ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        return fail(failure, DOME_JAIL_STAGE_NESTED_IDMAP, errno, NULL);
    }
    return true;
}

// Missing folders of `path`, below the work directory and nowhere else.
static bool make_folders(int work, const char *path) {
    char part[PATH_BYTES];
    size_t size = strlen(path);
    if (size >= sizeof part) return errno = ENAMETOOLONG, false;
    for (size_t index = 1; index < size; index++) {
        if (path[index] != '/') continue;
        memcpy(part, path, index);
        part[index] = 0;
        int here = sys_openat2(work, part, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (here >= 0) {
            close(here);
        } else if (errno != ENOENT || mkdirat(work, part, 0755) < 0) {
            return false;
        }
    }
    return true;
}

static bool write_planned(int work, const struct plan *plan, const struct dome_jail_file *file) {
    const char *path = plan->bytes + file->path;
    if (!make_folders(work, path)) return false;
    int fd = sys_openat2(work, path, O_WRONLY | O_CREAT | O_TRUNC, 0600, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd < 0) return false;
    const char *bytes = plan->bytes + file->data;
    bool is_good = true;
    for (size_t done = 0; is_good && done < file->size;) {
        ssize_t wrote = write(fd, bytes + done, file->size - done);
        if (wrote > 0) done += (size_t)wrote;
        else is_good = wrote < 0 && errno == EINTR;
    }
    is_good = is_good && fchmod(fd, file->mode & 0777) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return is_good;
}

bool child_files(const struct job *job, struct failure *failure) {
    const struct plan *plan = &job->plan;
    if (plan->head->file_count == 0) return true;
    int work = open("/job", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (work < 0) return fail(failure, DOME_JAIL_STAGE_FILES, errno, "/job");
    for (uint32_t index = 0; index < plan->head->file_count; index++) {
        if (!write_planned(work, plan, &plan->files[index])) {
            return fail(failure, DOME_JAIL_STAGE_FILES, errno, plan->bytes + plan->files[index].path);
        }
    }
    close(work);
    return true;
}

bool child_capabilities(const struct job *job, struct failure *failure) {
    if (weak_in(WEAK_CAPABILITIES)) return true;
    // Root's have too few left to empty the bounding set outside a user namespace of their own.
    if (weak_in(WEAK_NESTED)) return set_capabilities(0);
    for (int capability = 0; capability <= job->server->last_capability; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            return fail(failure, DOME_JAIL_STAGE_CAPABILITIES, errno, "bounding set");
        }
    }
    // Emptying the permitted set empties the ambient one with it.
    if (!set_capabilities(0)) return fail(failure, DOME_JAIL_STAGE_CAPABILITIES, errno, NULL);
    return true;
}

bool child_limits(const struct job *job, struct failure *failure) {
    if (weak_in(WEAK_LIMITS)) return true;
    for (uint32_t index = 0; index < job->plan.head->limit_count; index++) {
        const struct dome_jail_limit *limit = &job->plan.limits[index];
        struct rlimit current, wanted = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
        if (getrlimit((int)limit->resource, &current) < 0) {
            return fail(failure, DOME_JAIL_STAGE_LIMITS, errno, NULL);
        }
        // What the host allows is the most there is: a stricter limit is still the limit asked for.
        if (wanted.rlim_max > current.rlim_max) wanted.rlim_max = current.rlim_max;
        if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
        if (setrlimit((int)limit->resource, &wanted) < 0) {
            return fail(failure, DOME_JAIL_STAGE_LIMITS, errno, NULL);
        }
    }
    return true;
}
