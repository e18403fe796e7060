#include "census.h"

#include <dirent.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static char lines[1 << 16];
static size_t size;

__attribute__((format(printf, 1, 2))) static void line(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(lines + size, sizeof(lines) - size, format, arguments);
    va_end(arguments);
    if (count > 0 && size + (size_t)count < sizeof(lines)) size += (size_t)count;
    lines[size] = '\0';
}

// Calls `each` for the names in a folder of /proc, with no memory of the heap.
static void each_entry(const char *path, void (*each)(int folder, const char *name)) {
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    _Alignas(8) char buffer[16 << 10];
    long count = 0;
    while ((count = syscall(SYS_getdents64, folder, buffer, sizeof(buffer))) > 0) {
        for (long at = 0; at < count;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + at);
            if (entry->d_name[0] != '.') each(folder, entry->d_name);
            at += entry->d_reclen;
        }
    }
    close(folder);
}

static void descriptor(int folder, const char *name) {
    char target[256];
    if (atoi(name) == folder) return;
    ssize_t count = readlinkat(folder, name, target, sizeof(target) - 1);
    target[count > 0 ? count : 0] = '\0';
    line("descriptor %s %s\n", name, target);
}

static void thread(int folder, const char *name) {
    char path[64], title[32] = "";
    snprintf(path, sizeof(path), "%s/comm", name);
    int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return; // it has ended
    ssize_t count = read(file, title, sizeof(title) - 1);
    close(file);
    title[count > 0 ? strcspn(title, "\n") : 0] = '\0';
    line("thread %s %s\n", name, title);
}

// Children, and what they left behind when they ended: this process is their subreaper.
static void child(int folder, const char *name) {
    char path[64], numbers[1024];
    snprintf(path, sizeof(path), "%s/children", name);
    int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t count = read(file, numbers, sizeof(numbers) - 1);
    close(file);
    numbers[count > 0 ? count : 0] = '\0';
    for (char *at = numbers, *end = at; (strtol(at, &end, 10), end != at); at = end) {
        line("process %ld\n", strtol(at, NULL, 10));
    }
}

static void signals(void) {
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) != 0) continue;
        bool is_default = action.sa_handler == SIG_DFL;
        if (!is_default) line("signal %d %s\n", number, action.sa_handler == SIG_IGN ? "ignored" : "handled");
        if (sigismember(&blocked, number) == 1) line("blocked-signal %d\n", number);
    }
}

const char *census_take(void) {
    size = 0;
    lines[0] = '\0';
    char folder[1024];
    each_entry("/proc/self/fd", descriptor);
    each_entry("/proc/self/task", thread);
    each_entry("/proc/self/task", child);
    signals();
    line("folder %s\n", getcwd(folder, sizeof(folder)) != NULL ? folder : "?");
    mode_t mask = umask(0);
    umask(mask);
    line("umask %o\n", (unsigned)mask);
    const char *locale = setlocale(LC_ALL, NULL);
    line("locale %s\n", locale != NULL ? locale : "?");
    line("rounding %d\n", fegetround());
    struct itimerval timer;
    if (getitimer(ITIMER_REAL, &timer) == 0 && (timer.it_value.tv_sec > 0 || timer.it_value.tv_usec > 0)) {
        line("alarm set\n");
    }
    return lines;
}
