// Granted paths: opened in the namespace that still has the host's tree, checked, cloned as detached mounts.
// Nothing is resolved twice: what was opened is what is checked, cloned and mounted.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

// User namespaces that map one owner on disk to one job identity; made once each, forgotten round-robin.
enum { IDMAP_LIMIT = 32 };

struct idmap {
    uint32_t owner_uid, owner_gid, uid, gid;
    int user_namespace;
};

static struct idmap idmaps[IDMAP_LIMIT];
static size_t idmap_count, idmap_next;

// Not by the path /proc: while grants are opened that is the host's, whose pid numbers are others.
static bool write_map(int proc, pid_t pid, const char *name, uint32_t inside, uint32_t outside) {
    char path[64], text[48];
    snprintf(path, sizeof path, "%d/%s", pid, name);
    int size = snprintf(text, sizeof text, "%u %u 1\n", inside, outside);
    return write_file(proc, path, text, (size_t)size);
}

// A child that only lends us its user namespace.
static int make_user_namespace(int proc, uint32_t owner_uid, uint32_t owner_gid, uint32_t uid, uint32_t gid) {
    pid_t pid = sys_pidns_clone(CLONE_NEWUSER, -1, NULL);
    if (pid < 0) return -1;
    if (pid == 0) {
        for (;;) pause();
    }
    int result = -1;
    char path[64];
    snprintf(path, sizeof path, "%d/ns/user", pid);
    if (write_map(proc, pid, "uid_map", owner_uid, uid) && write_map(proc, pid, "gid_map", owner_gid, gid)) {
        result = openat(proc, path, O_RDONLY | O_CLOEXEC);
    }
    int error = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    errno = error;
    return result;
}

static int find_user_namespace(int proc, uint32_t owner_uid, uint32_t owner_gid, uint32_t uid, uint32_t gid) {
    for (size_t index = 0; index < idmap_count; index++) {
        const struct idmap *map = &idmaps[index];
        if (map->owner_uid == owner_uid && map->owner_gid == owner_gid && map->uid == uid && map->gid == gid) {
            return map->user_namespace;
        }
    }
    int made = make_user_namespace(proc, owner_uid, owner_gid, uid, gid);
    if (made < 0) return -1;
    struct idmap *slot = &idmaps[idmap_next];
    if (idmap_count == IDMAP_LIMIT) close(slot->user_namespace);
    else idmap_count++;
    *slot = (struct idmap){owner_uid, owner_gid, uid, gid, made};
    idmap_next = (idmap_next + 1) % IDMAP_LIMIT;
    return made;
}

static const char *filesystem_name(int fd, char *buffer, size_t size) {
    static const struct { unsigned long magic; const char *name; } known[] = {
        {0xEF53, "ext4"}, {0x58465342, "xfs"}, {0x9123683E, "btrfs"}, {0x01021994, "tmpfs"},
        {0x794C7630, "overlayfs"}, {0x6969, "nfs"}, {0x65735546, "fuse"}, {0xFF534D42, "cifs"},
        {0xFE534D42, "smb3"}, {0x01021997, "9p"}, {0x6A656A63, "virtiofs"}, {0x2FC12FC1, "zfs"},
        {0xF2F52010, "f2fs"}, {0x4D44, "vfat"}, {0x9FA0, "proc"}, {0x62656572, "sysfs"}, {0x73717368, "squashfs"},
    };
    struct statfs status;
    if (fstatfs(fd, &status) < 0) return "unknown";
    for (size_t index = 0; index < sizeof known / sizeof *known; index++) {
        if (known[index].magic == (unsigned long)status.f_type) return known[index].name;
    }
    snprintf(buffer, size, "file system 0x%lx", (unsigned long)status.f_type);
    return buffer;
}

// Names the culprit: the source's own file system, or (if that one would do) something mounted below it.
static bool fail_idmap(int source, int user_namespace, const char *path, struct failure *failure) {
    int error = errno;
    char name[48], text[DOME_JAIL_DETAIL];
    const char *culprit = filesystem_name(source, name, sizeof name);
    int alone = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (alone >= 0 && user_namespace >= 0 && sys_mount_attributes(alone, 0, 0, 0, user_namespace) == 0) {
        culprit = "something mounted below";
    }
    if (alone >= 0) close(alone);
    int size = snprintf(text, sizeof text, "%s ", culprit);
    size_t rest = strnlen(path, sizeof text - 1 - (size_t)size);
    memcpy(text + size, path, rest);
    text[(size_t)size + rest] = 0;
    return fail(failure, DOME_JAIL_STAGE_GRANT_IDMAP, error, text);
}

// What the child gets for one source: a detached tree, nosuid, nodev, private, as root idmapped.
static bool clone_source(struct server *server, struct job *job, int source, const struct stat *status,
                         const struct dome_jail_mount *mount, int *tree, struct failure *failure) {
    const char *path = job->plan.bytes + mount->source;
    *tree = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (*tree < 0) return fail(failure, DOME_JAIL_STAGE_GRANT_CLONE, errno, path);
    uint64_t set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (!(mount->flags & DOME_JAIL_MOUNT_WRITABLE)) set |= MOUNT_ATTR_RDONLY;
    if (sys_mount_attributes(*tree, set, 0, MS_PRIVATE, -1) < 0) {
        return fail(failure, DOME_JAIL_STAGE_GRANT_ATTRIBUTES, errno, path);
    }
    uint32_t uid = job->plan.head->uid, gid = job->plan.head->gid;
    bool is_plain = !server->is_root || (mount->flags & DOME_JAIL_MOUNT_PLAIN);
    if (is_plain || (status->st_uid == uid && status->st_gid == gid)) return true;
    int user_namespace = find_user_namespace(server->own_proc, status->st_uid, status->st_gid, uid, gid);
    if (user_namespace < 0 || sys_mount_attributes(*tree, 0, 0, 0, user_namespace) < 0) {
        return fail_idmap(source, user_namespace, path, failure);
    }
    job->layers |= DOME_JAIL_LAYER_IDMAP;
    return true;
}

static bool open_source(struct server *server, struct job *job, const struct dome_jail_mount *mount, int *tree,
                        bool *is_directory, struct failure *failure) {
    const char *path = job->plan.bytes + mount->source;
    weak_await_swap(server, mount, path);
    int source = weak_in(WEAK_GRANTS) ? weak_open_grant(server, path)
                                      : sys_openat2(server->host_root, path + 1, O_PATH | O_NOFOLLOW, 0,
                                                    RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT);
    if (source < 0) return fail(failure, DOME_JAIL_STAGE_GRANT_OPEN, errno, path);
    struct stat status;
    bool is_good = false;
    if (fstat(source, &status) < 0) {
        fail(failure, DOME_JAIL_STAGE_GRANT_OPEN, errno, path);
    } else if (S_ISLNK(status.st_mode)) {
        // O_PATH | O_NOFOLLOW opens a link at the end itself.
        fail(failure, DOME_JAIL_STAGE_GRANT_OPEN, ELOOP, path);
    } else if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
        fail(failure, DOME_JAIL_STAGE_GRANT_OPEN, EINVAL, path);
    } else if (!weak_in(WEAK_GRANTS) && (mount->device | mount->inode) != 0 &&
               (mount->device != status.st_dev || mount->inode != status.st_ino)) {
        fail(failure, DOME_JAIL_STAGE_GRANT_CHANGED, ESTALE, path);
    } else {
        *is_directory = S_ISDIR(status.st_mode);
        is_good = clone_source(server, job, source, &status, mount, tree, failure);
    }
    close(source);
    return is_good;
}

static bool open_work(struct server *server, struct job *job, struct failure *failure) {
    const struct dome_jail_spec *head = job->plan.head;
    if (head->work_source != 0) {
        struct dome_jail_mount mount = {.source = head->work_source, .flags = DOME_JAIL_MOUNT_WRITABLE};
        bool is_directory = false;
        if (!open_source(server, job, &mount, &job->work, &is_directory, failure)) return false;
        return is_directory || fail(failure, DOME_JAIL_STAGE_WORK, ENOTDIR, job->plan.bytes + head->work_source);
    }
    const struct tmpfs_kind kind = {.bytes = head->work_bytes, .mode = 0700, .is_owned = true,
                                    .uid = server->is_root ? head->uid : geteuid(),
                                    .gid = server->is_root ? head->gid : getegid()};
    job->work = ahead_take_tmpfs(TMPFS_WORK, &kind);
    return job->work >= 0 || fail(failure, DOME_JAIL_STAGE_WORK, errno, "tmpfs");
}

static bool open_scratch(struct job *job, struct failure *failure) {
    const struct dome_jail_spec *head = job->plan.head;
    const struct tmpfs_kind tmp = {.bytes = head->tmp_bytes > 0 ? head->tmp_bytes : 256ull << 20, .mode = 01777};
    const struct tmpfs_kind shm = {.bytes = head->shm_bytes > 0 ? head->shm_bytes : 64ull << 20, .mode = 01777};
    job->tmp = ahead_take_tmpfs(TMPFS_TMP, &tmp);
    if (job->tmp < 0) return fail(failure, DOME_JAIL_STAGE_TMP, errno, NULL);
    job->shm = ahead_take_tmpfs(TMPFS_SHM, &shm);
    return job->shm >= 0 || fail(failure, DOME_JAIL_STAGE_SHM, errno, NULL);
}

bool grants_open(struct server *server, struct job *job, struct failure *failure) {
    const struct plan *plan = &job->plan;
    bool has_terminal = job->descriptors[FD_TERMINAL] >= 0;
    bool needs_host = plan->head->mount_count > 0 || plan->head->work_source != 0 || has_terminal ||
                      weak_in(WEAK_HOST_TREE);
    job->work = job->tmp = job->shm = job->terminal = job->landlock = -1;
    for (uint32_t index = 0; index < plan->head->mount_count; index++) job->grants[index].tree = -1;
    if (server->is_root && plan->head->uid == 0) return fail(failure, DOME_JAIL_STAGE_SPEC, EINVAL, "uid 0");
    if (needs_host && setns(server->host_mounts, CLONE_NEWNS) < 0) {
        return fail(failure, DOME_JAIL_STAGE_GRANT_OPEN, errno, "host mounts");
    }
    bool is_good = landlock_take(job, failure) && open_work(server, job, failure) && open_scratch(job, failure) &&
                   (!has_terminal || terminal_open(server, job, failure));
    for (uint32_t index = 0; is_good && index < plan->head->mount_count; index++) {
        const struct dome_jail_mount *mount = &plan->mounts[index];
        struct grant *grant = &job->grants[index];
        is_good = open_source(server, job, mount, &grant->tree, &grant->is_directory, failure) &&
                  root_ensure_top(server, plan->bytes + mount->target, grant->is_directory, failure);
    }
    if (weak_in(WEAK_HOST_TREE)) weak_open_host();
    // Failing to go back would make every later job a copy of the host's tree: rather die, and all jobs with us.
    if (needs_host && setns(server->jail_mounts, CLONE_NEWNS) < 0) _exit(1);
    return is_good;
}

void grants_close(struct job *job) {
    if (job->work >= 0) close(job->work);
    if (job->tmp >= 0) close(job->tmp);
    if (job->shm >= 0) close(job->shm);
    if (job->terminal >= 0) close(job->terminal);
    if (job->landlock >= 0) close(job->landlock);
    for (uint32_t index = 0; index < job->plan.head->mount_count; index++) {
        if (job->grants[index].tree >= 0) close(job->grants[index].tree);
    }
}
