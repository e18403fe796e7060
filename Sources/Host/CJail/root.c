// The curated root: built once per server, in a mount namespace of its own that holds nothing else. Each job's
// namespace is a copy of that one, so every mount here costs every job a little: small files of /etc are copied,
// only folders are bound.
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILE_BYTES_LIMIT = 1 << 20, BIND_LIMIT = 96 };

// What of the host is seen: by copy or by read-only bind, at the same place; absent on the host: absent.
static const char *const copied_files[] = {
    "etc/ld.so.cache", "etc/ld.so.conf", "etc/nsswitch.conf", "etc/localtime", "etc/timezone", "etc/os-release",
    "etc/host.conf", "etc/gai.conf", "etc/protocols", "etc/services", "etc/mime.types", "etc/ssl/openssl.cnf",
};
// With the host's network, and again when they change.
static const char *const network_files[] = {"etc/resolv.conf", "etc/hosts"};
// etc/ssl itself has private/ in it, so only the certificates.
static const char *const bound_folders[] = {
    "usr", "etc/alternatives", "etc/ssl/certs", "etc/pki/ca-trust", "etc/pki/tls/certs",
};
// Symbolic links into /usr on merged systems, folders on others.
static const char *const usr_aliases[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
static const char *const device_nodes[] = {"dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom"};
static const char *const made_folders[] = {"etc", "etc/ssl", "etc/pki", "etc/pki/tls", "dev", "dev/shm", "proc",
                                           "tmp", "job", "run", "var"};
static const struct { const char *target, *path; } made_links[] = {
    {"/proc/self/fd", "dev/fd"}, {"fd/0", "dev/stdin"}, {"fd/1", "dev/stdout"}, {"fd/2", "dev/stderr"},
    {"../tmp", "var/tmp"},
};

const char *dome_jail_system_path(int full_network, size_t index) {
    const struct { const char *const *paths; size_t count; } tables[] = {
        {bound_folders, sizeof bound_folders / sizeof *bound_folders},
        {usr_aliases, sizeof usr_aliases / sizeof *usr_aliases},
        {copied_files, sizeof copied_files / sizeof *copied_files},
        {network_files, full_network ? sizeof network_files / sizeof *network_files : 0},
    };
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++) {
        if (index < tables[table].count) return tables[table].paths[index];
        index -= tables[table].count;
    }
    return NULL;
}

// A detached clone of something of the host, and where it goes.
struct bind {
    int tree;
    bool is_directory;
    const char *path;
};

static bool read_host_file(const struct server *server, const char *path, char *bytes, size_t *size) {
    int fd = sys_openat2(server->host_root, path, O_RDONLY | O_NONBLOCK, 0, RESOLVE_IN_ROOT);
    if (fd < 0) return false;
    struct stat status;
    size_t done = 0;
    bool is_good = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    while (is_good && done < FILE_BYTES_LIMIT) {
        ssize_t got = read(fd, bytes + done, FILE_BYTES_LIMIT - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) is_good = false;
        if (got <= 0) break;
        done += (size_t)got;
    }
    close(fd);
    *size = done;
    return is_good && done < FILE_BYTES_LIMIT;
}

// Through a new name, so that a running job sees the old file or the new one.
static bool put_file(const struct server *server, const char *path, const char *bytes, size_t size) {
    static const char new_name[] = "etc/.new";
    int fd = openat(server->writable_root, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    bool is_good = write(fd, bytes, size) == (ssize_t)size;
    close(fd);
    return is_good && renameat(server->writable_root, new_name, server->writable_root, path) == 0;
}

// A link that points into /usr is copied as a link, anything else by what it leads to.
static bool copy_link(const struct server *server, const char *path) {
    char target[256];
    ssize_t size = readlinkat(server->host_root, path, target, sizeof target - 1);
    if (size <= 0) return false;
    target[size] = 0;
    if (strstr(target, "usr/") == NULL) return false;
    return symlinkat(target, server->writable_root, path) == 0;
}

static bool copy_file(const struct server *server, const char *path) {
    static char bytes[FILE_BYTES_LIMIT];
    size_t size;
    if (copy_link(server, path)) return true;
    // Absent or odd: the job goes without it, as on a host that has none.
    if (!read_host_file(server, path, bytes, &size)) return true;
    return put_file(server, path, bytes, size);
}

void root_refresh(struct server *server) {
    static struct timespec seen;
    struct stat status;
    int fd = sys_openat2(server->host_root, network_files[0], O_PATH, 0, RESOLVE_IN_ROOT);
    if (fd < 0) return;
    bool is_new = fstat(fd, &status) == 0 &&
                  (status.st_mtim.tv_sec != seen.tv_sec || status.st_mtim.tv_nsec != seen.tv_nsec);
    close(fd);
    if (!is_new) return;
    if (copy_file(server, network_files[0]) && copy_file(server, network_files[1])) seen = status.st_mtim;
}

static bool write_accounts(const struct server *server) {
    char text[512];
    unsigned uid = server->is_root ? 65534 : geteuid(), gid = server->is_root ? 65534 : getegid();
    int size = snprintf(text, sizeof text,
                        "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\njob:x:%u:%u:dome job:/job:/bin/sh\n"
                        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", uid, gid);
    if (!put_file(server, "etc/passwd", text, (size_t)size)) return false;
    size = snprintf(text, sizeof text, "root:x:0:\njob:x:%u:\nnogroup:x:65534:\n", gid);
    if (!put_file(server, "etc/group", text, (size_t)size)) return false;
    static const char hosts[] = "127.0.0.1 localhost\n::1 localhost\n";
    return server->full_network || put_file(server, "etc/hosts", hosts, sizeof hosts - 1);
}

// Clones `path` (relative to /, the current directory) into `binds`; absent is fine unless it must be there.
static bool collect(struct bind *binds, size_t *count, const char *path, bool is_device, bool must_exist,
                    struct failure *failure) {
    struct stat status;
    if (lstat(path, &status) < 0 || (!is_device && !S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))) {
        if (!must_exist) return true;
        return fail(failure, DOME_JAIL_STAGE_ROOT, errno, path);
    }
    if (*count == BIND_LIMIT) return fail(failure, DOME_JAIL_STAGE_ROOT, E2BIG, path);
    int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
    if (tree < 0) return fail(failure, DOME_JAIL_STAGE_ROOT, errno, path);
    uint64_t attributes = is_device ? MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC
                                    : MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY;
    if (sys_mount_attributes(tree, attributes, 0, MS_PRIVATE, -1) < 0) {
        return fail(failure, DOME_JAIL_STAGE_ROOT, errno, path);
    }
    binds[(*count)++] = (struct bind){tree, S_ISDIR(status.st_mode), path};
    return true;
}

static bool collect_all(const struct server *server, struct bind *binds, size_t *count, struct failure *failure) {
    for (size_t index = 0; index < sizeof bound_folders / sizeof *bound_folders; index++) {
        if (!collect(binds, count, bound_folders[index], false, index == 0, failure)) return false;
    }
    for (size_t index = 0; index < sizeof usr_aliases / sizeof *usr_aliases; index++) {
        if (!collect(binds, count, usr_aliases[index], false, false, failure)) return false;
    }
    for (size_t index = 0; index < sizeof device_nodes / sizeof *device_nodes; index++) {
        if (!collect(binds, count, device_nodes[index], true, true, failure)) return false;
    }
    for (size_t index = 0; server->system_paths[index] != NULL; index++) {
        const char *path = server->system_paths[index];
        while (*path == '/') path++;
        if (*path != 0 && !collect(binds, count, path, false, false, failure)) return false;
    }
    return true;
}

// Makes the folders above `path`, and `path` itself as a folder or an empty file.
static bool make_place(int root, const char *path, bool is_directory) {
    char part[PATH_BYTES];
    size_t size = strlen(path);
    if (size >= sizeof part) return errno = ENAMETOOLONG, false;
    for (size_t index = 1; index <= size; index++) {
        if (path[index] != '/' && path[index] != 0) continue;
        memcpy(part, path, index);
        part[index] = 0;
        bool is_last = path[index] == 0;
        if (is_last && !is_directory) {
            int fd = openat(root, part, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0444);
            if (fd < 0) return false;
            close(fd);
        } else if (mkdirat(root, part, 0755) < 0 && errno != EEXIST) {
            return false;
        }
    }
    return true;
}

bool root_ensure_top(struct server *server, const char *target, bool is_directory, struct failure *failure) {
    char top[PATH_BYTES];
    size_t size = strcspn(target + 1, "/");
    if (size == 0 || size >= sizeof top) return fail(failure, DOME_JAIL_STAGE_GRANT_TARGET, EINVAL, target);
    memcpy(top, target + 1, size);
    top[size] = 0;
    struct stat status;
    if (fstatat(server->writable_root, top, &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
    bool is_leaf = target[size + 1] == 0;
    if (make_place(server->writable_root, top, is_directory || !is_leaf)) return true;
    return fail(failure, DOME_JAIL_STAGE_GRANT_TARGET, errno, target);
}

static bool populate(struct server *server, struct bind *binds, size_t count, struct failure *failure) {
    int root = server->writable_root;
    for (size_t index = 0; index < sizeof made_folders / sizeof *made_folders; index++) {
        if (mkdirat(root, made_folders[index], 0755) < 0) goto failed;
    }
    for (size_t index = 0; index < sizeof made_links / sizeof *made_links; index++) {
        if (symlinkat(made_links[index].target, root, made_links[index].path) < 0) goto failed;
    }
    for (size_t index = 0; index < sizeof usr_aliases / sizeof *usr_aliases; index++) {
        copy_link(server, usr_aliases[index]);
    }
    copy_link(server, "etc/ssl/certs");
    for (size_t index = 0; index < sizeof copied_files / sizeof *copied_files; index++) {
        if (!copy_file(server, copied_files[index])) goto failed;
    }
    if (!write_accounts(server)) goto failed;
    for (size_t index = 0; index < count; index++) {
        // The current directory is the new root, attached: older kernels mount on nothing detached.
        if (!make_place(root, binds[index].path, binds[index].is_directory) ||
            sys_move_mount(binds[index].tree, AT_FDCWD, binds[index].path) < 0) {
            return fail(failure, DOME_JAIL_STAGE_ROOT, errno, binds[index].path);
        }
        close(binds[index].tree);
    }
    return true;
failed:
    return fail(failure, DOME_JAIL_STAGE_ROOT, errno, "curated files");
}

// The new root's file system, mounted over /usr of the copied host tree, with a second, writable mount of it.
static int attach_root(struct server *server) {
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int root = -1;
    if (fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) == 0 &&
        fsconfig(context, FSCONFIG_SET_STRING, "size", "64m", 0) == 0 &&
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
        root = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    }
    close(context);
    if (root < 0 || sys_move_mount(root, AT_FDCWD, "/usr") < 0) return -1;
    server->writable_root = open_tree(root, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (server->writable_root < 0 || fchdir(root) < 0) return -1;
    return root;
}

bool root_build(struct server *server, struct failure *failure) {
    static struct bind binds[BIND_LIMIT];
    size_t count = 0;
    const char *step = "host tree";
    // Slave: what the host mounts later can be granted, what we mount never gets out.
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 || chdir("/") < 0) goto failed;
    server->host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    server->host_mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (server->host_root < 0 || server->host_mounts < 0) goto failed;
    step = "own mount namespace";
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) goto failed;
    server->jail_mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (server->jail_mounts < 0) goto failed;
    if (!collect_all(server, binds, &count, failure)) return false;
    step = "tmpfs";
    int root = attach_root(server);
    if (root < 0) goto failed;
    if (!populate(server, binds, count, failure)) return false;
    // While the host's /proc is still in this namespace: without a fully visible one an ordinary user gets EPERM,
    // here and, because this one stays beneath theirs, in every job.
    step = "/proc";
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) goto failed;
    step = "pivot_root";
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) goto failed;
    unsigned long remount = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV;
    if (mount(NULL, "/", NULL, remount, NULL) < 0) goto failed;
    step = "/proc";
    server->own_proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (server->own_proc < 0) goto failed;
    close(root);
    if (server->full_network) root_refresh(server);
    return true;
failed:
    return fail(failure, DOME_JAIL_STAGE_ROOT, errno, step);
}
