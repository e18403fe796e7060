#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum { MAX_FDS = 16, MAX_EVENTS = 256 };

int dome_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll, operation, fd, &event);
}

int dome_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, data);
}

int dome_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, data);
}

int dome_epoll_delete(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); }

int dome_epoll_wait(int epoll, struct dome_epoll_event *events, int capacity, int64_t timeout_nanoseconds) {
    static _Thread_local int no_pwait2;
    struct epoll_event buffer[MAX_EVENTS];
    if (capacity > MAX_EVENTS) capacity = MAX_EVENTS;
    int count = -1;
    if (!no_pwait2) {
        struct timespec limit = {timeout_nanoseconds / 1000000000, timeout_nanoseconds % 1000000000};
        count = (int)syscall(SYS_epoll_pwait2, epoll, buffer, capacity, timeout_nanoseconds < 0 ? NULL : &limit, NULL,
                             (size_t)8);
        if (count < 0 && errno == ENOSYS) no_pwait2 = 1;
    }
    if (no_pwait2) {
        int64_t milliseconds = timeout_nanoseconds < 0 ? -1 : (timeout_nanoseconds + 999999) / 1000000;
        count = epoll_wait(epoll, buffer, capacity, milliseconds > 1000000 ? 1000000 : (int)milliseconds);
    }
    for (int i = 0; i < count; i++) {
        events[i].events = buffer[i].events;
        events[i].data = buffer[i].data.u64;
    }
    return count;
}

int dome_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int dome_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int dome_spawn_add_chdir(void *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

int dome_spawn_add_close_from(void *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int dome_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int dome_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int dome_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t count = read(fd, &info, sizeof info);
    if (count == (ssize_t)sizeof info) return (int)info.ssi_signo;
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

ssize_t dome_send(int fd, const void *bytes, size_t count, const int *fds, int fd_count, int dont_wait) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MAX_FDS)];
    } control;
    struct iovec vector = {(void *)(uintptr_t)bytes, count};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (fd_count > MAX_FDS || fd_count < 0) {
        errno = EINVAL;
        return -1;
    }
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)fd_count);
    }
    ssize_t sent;
    do sent = sendmsg(fd, &message, MSG_NOSIGNAL | (dont_wait ? MSG_DONTWAIT : 0));
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t dome_receive(int fd, void *bytes, size_t capacity, int *fds, int *fd_count, int *truncated, int dont_wait) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MAX_FDS)];
    } control;
    struct iovec vector = {bytes, capacity};
    int room = *fd_count < 0 ? 0 : *fd_count > MAX_FDS ? MAX_FDS : *fd_count;
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (room > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_LEN(sizeof(int) * (size_t)room);
    }
    ssize_t received;
    do received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (dont_wait ? MSG_DONTWAIT : 0));
    while (received < 0 && errno == EINTR);
    *fd_count = 0;
    *truncated = 0;
    if (received < 0) return received;
    *truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        if (count > room) count = room;
        memcpy(fds, CMSG_DATA(header), sizeof(int) * (size_t)count);
        *fd_count = count;
    }
    return received;
}

int dome_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int dome_peer_pidfd(int fd) {
    int pidfd = -1;
    socklen_t size = sizeof pidfd;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) != 0) return -1;
    return pidfd;
}

int dome_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int dome_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int dome_close_range(unsigned first, unsigned last) { return (int)syscall(SYS_close_range, first, last, 0); }

int dome_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int dome_memfd_seal(int fd) {
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int dome_memfd_is_sealed(int fd) {
    int wanted = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & wanted) == wanted;
}

int dome_set_nonblocking(int fd, int enabled) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(fd, F_SETFL, enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int dome_open_terminal(int *controller, int *subordinate, int rows, int columns) {
    char name[128];
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -1;
    int other = -1;
    if (grantpt(fd) == 0 && unlockpt(fd) == 0 && ptsname_r(fd, name, sizeof name) == 0)
        other = dome_open(name, O_RDWR | O_NOCTTY, 0);
    if (other < 0 || ioctl(fd, TIOCSWINSZ, &size) != 0) {
        int reason = errno;
        if (other >= 0) close(other);
        close(fd);
        errno = reason;
        return -1;
    }
    *controller = fd;
    *subordinate = other;
    return 0;
}

int dome_allocate(int fd, int64_t from, int64_t to) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, from, to - from); }

int dome_lock_exclusive(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int dome_unlock(int fd) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int dome_raise_nofile(uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

void dome_set_thread_name(const char *name) { prctl(PR_SET_NAME, name); }

void dome_yield_to_others(void) {
    // Of this thread alone: on Linux a number of 0 is the caller's own.
    setpriority(PRIO_PROCESS, 0, 19);
}

int dome_stat_identity(const char *path, uint64_t *device, uint64_t *inode) {
    struct stat status;
    if (stat(path, &status) != 0) return -1;
    *device = status.st_dev;
    *inode = status.st_ino;
    return 0;
}
