// What a job's PID 1 mounts in its own namespace: /proc, /tmp, /dev/shm, /job, granted paths.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

// Inside our own root: no symbolic link is followed, wherever a granted tree or an earlier target may lead.
static const uint64_t inside = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

static size_t top_size(const char *target) { return 1 + strcspn(target + 1, "/"); }

static bool is_below(const char *path, const char *above) {
    size_t size = strlen(above);
    return strncmp(path, above, size) == 0 && (path[size] == 0 || path[size] == '/');
}

// Folders that every job has from the curated root: nothing is created in those that are shared.
static bool is_shared_top(const char *target) {
    static const char *const names[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc",
                                        "/dev", "/proc"};
    size_t size = top_size(target);
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (strlen(names[index]) == size && memcmp(names[index], target, size) == 0) return true;
    }
    return false;
}

static bool is_private_top(const char *target) {
    return is_below(target, "/tmp") || is_below(target, "/job");
}

static bool is_system_path(const struct server *server, const char *target) {
    for (size_t index = 0; server->system_paths[index] != NULL; index++) {
        if (is_below(target, server->system_paths[index])) return true;
    }
    return false;
}

// Whether places may be made for mount `index`: not in a shared folder, and not in a tree of the host that an
// earlier grant put there.
static bool may_create(const struct job *job, uint32_t index) {
    const char *target = job->plan.bytes + job->plan.mounts[index].target;
    if (is_shared_top(target) || is_system_path(job->server, target)) return false;
    if (job->plan.head->work_source != 0 && is_below(target, "/job")) return false;
    for (uint32_t earlier = 0; earlier < index; earlier++) {
        if (is_below(target, job->plan.bytes + job->plan.mounts[earlier].target)) return false;
    }
    return true;
}

// A job's own small tmpfs over /home, say, so that no job learns from the shared root what another was granted
// below it. `done` says that an earlier mount of this job has seen to it.
static bool cover_top(const struct job *job, uint32_t index, struct failure *failure) {
    const char *target = job->plan.bytes + job->plan.mounts[index].target;
    size_t size = top_size(target);
    if (target[size] == 0 || is_private_top(target)) return true;
    for (uint32_t earlier = 0; earlier < index; earlier++) {
        const char *other = job->plan.bytes + job->plan.mounts[earlier].target;
        if (top_size(other) == size && memcmp(other, target, size) == 0) return true;
    }
    char top[NAME_BYTES];
    if (size >= sizeof top) return fail(failure, DOME_JAIL_STAGE_GRANT_TARGET, ENAMETOOLONG, target);
    memcpy(top, target, size);
    top[size] = 0;
    if (mount("tmpfs", top, "tmpfs", MS_NOSUID | MS_NODEV, "size=1048576,nr_inodes=1280,mode=0755") == 0) return true;
    return fail(failure, DOME_JAIL_STAGE_GRANT_TARGET, errno, top);
}

// Opens the target, making what is missing of it if `creates`.
static int open_target(int root, const char *target, bool creates, bool is_directory) {
    char part[PATH_BYTES];
    size_t size = strlen(target);
    if (size >= sizeof part) return errno = ENAMETOOLONG, -1;
    for (size_t index = 1; creates && index <= size; index++) {
        if (target[index] != '/' && target[index] != 0) continue;
        bool is_last = target[index] == 0;
        size_t start = index;
        while (target[start - 1] != '/') start--;
        memcpy(part, target, index);
        part[start == 1 ? 1 : start - 1] = 0;
        int above = sys_openat2(root, part, O_PATH | O_DIRECTORY, 0, inside);
        if (above < 0) return -1;
        part[index] = 0;
        memcpy(part + start, target + start, index - start);
        int result = is_last && !is_directory ? mknodat(above, part + start, S_IFREG | 0444, 0)
                                              : mkdirat(above, part + start, 0755);
        int error = errno;
        close(above);
        // EROFS: it is there already, in the curated root (mkdir asks for write access first on old kernels).
        if (result < 0 && error != EEXIST && error != EROFS) return errno = error, -1;
    }
    return sys_openat2(root, target, O_PATH, 0, inside);
}

static bool mount_grant(const struct job *job, uint32_t index, int root, struct failure *failure) {
    const char *target = job->plan.bytes + job->plan.mounts[index].target;
    bool creates = may_create(job, index);
    if (creates && !cover_top(job, index, failure)) return false;
    int place = open_target(root, target, creates, job->grants[index].is_directory);
    if (place < 0) return fail(failure, DOME_JAIL_STAGE_GRANT_TARGET, errno, target);
    bool is_good = sys_move_mount(job->grants[index].tree, place, "") == 0;
    int error = errno;
    close(place);
    return is_good || fail(failure, DOME_JAIL_STAGE_GRANT_MOUNT, error, target);
}

// The covers become read-only once all places are made.
static bool seal_covers(const struct job *job, struct failure *failure) {
    for (uint32_t index = 0; index < job->plan.head->mount_count; index++) {
        const char *target = job->plan.bytes + job->plan.mounts[index].target;
        size_t size = top_size(target);
        if (target[size] == 0 || is_private_top(target) || !may_create(job, index)) continue;
        char top[NAME_BYTES];
        memcpy(top, target, size);
        top[size] = 0;
        if (mount(NULL, top, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0) {
            return fail(failure, DOME_JAIL_STAGE_GRANT_TARGET, errno, top);
        }
    }
    return true;
}

static bool mount_grants(const struct job *job, struct failure *failure) {
    if (job->plan.head->mount_count == 0) return true;
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return fail(failure, DOME_JAIL_STAGE_GRANT_TARGET, errno, "/");
    for (uint32_t index = 0; index < job->plan.head->mount_count; index++) {
        if (!mount_grant(job, index, root, failure)) return false;
    }
    close(root);
    return seal_covers(job, failure);
}

bool child_mounts(const struct job *job, struct failure *failure) {
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
        return fail(failure, DOME_JAIL_STAGE_PROC, errno, NULL);
    }
    if (sys_move_mount(job->tmp, AT_FDCWD, "/tmp") < 0) return fail(failure, DOME_JAIL_STAGE_TMP, errno, NULL);
    if (!child_terminal(job, failure)) return false;
    if (sys_move_mount(job->shm, AT_FDCWD, "/dev/shm") < 0) return fail(failure, DOME_JAIL_STAGE_SHM, errno, NULL);
    if (sys_move_mount(job->work, AT_FDCWD, "/job") < 0) {
        return fail(failure, DOME_JAIL_STAGE_WORK_MOUNT, errno, NULL);
    }
    if (weak_in(WEAK_HOST_TREE)) weak_mount_host();
    return mount_grants(job, failure);
}
