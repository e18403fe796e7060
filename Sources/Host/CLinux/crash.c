// Where a crash happened, told on the way down. Runs in a signal handler of a process that is lost anyway: what is
// called here may be unsafe in such a place, so a timer ends a handler that hangs.
#include "CLinux.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static int report_descriptor = -1;
static char head[16];
static size_t head_size;
static int size_offset = -1;
static volatile sig_atomic_t crash_signal;

enum { FRAME_LIMIT = 24, TEXT_LIMIT = 4000 };

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

static void end_with(int number) {
    signal(number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(128 + number);
}

static void hung(int number) {
    (void)number;
    end_with(crash_signal);
}

static size_t add(char *text, size_t used, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(text + used, TEXT_LIMIT - used, format, arguments);
    va_end(arguments);
    if (count < 0) return used;
    return used + (size_t)count < TEXT_LIMIT ? used + (size_t)count : TEXT_LIMIT - 1;
}

static size_t add_frame(char *text, size_t used, void *address) {
    Dl_info info;
    if (dladdr(address, &info) == 0 || info.dli_fname == NULL) return add(text, used, " %p", address);
    const char *slash = strrchr(info.dli_fname, '/'), *name = slash != NULL ? slash + 1 : info.dli_fname;
    uintptr_t offset = (uintptr_t)address - (uintptr_t)info.dli_fbase;
    if (info.dli_sname == NULL) return add(text, used, " %s+0x%lx", name, (unsigned long)offset);
    offset = (uintptr_t)address - (uintptr_t)info.dli_saddr;
    return add(text, used, " %s(%s+0x%lx)", name, info.dli_sname, (unsigned long)offset);
}

static void crashed(int number, siginfo_t *info, void *context) {
    (void)context;
    if (crash_signal != 0) end_with(number);
    crash_signal = number;
    signal(SIGALRM, hung);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    struct itimerval second = {.it_value = {.tv_sec = 1}};
    setitimer(ITIMER_REAL, &second, NULL);
    static char frame[sizeof head + TEXT_LIMIT];
    memcpy(frame, head, head_size);
    char *text = frame + head_size;
    size_t used = add(text, 0, "SIG%s", sigabbrev_np(number) != NULL ? sigabbrev_np(number) : "?");
    if (number == SIGSEGV || number == SIGBUS) used = add(text, used, " at address %p", info->si_addr);
    used = add(text, used, " in");
    void *addresses[FRAME_LIMIT];
    int count = backtrace(addresses, FRAME_LIMIT);
    // This function and the kernel's trampoline come first.
    for (int index = count > 2 ? 2 : 0; index < count; index++) used = add_frame(text, used, addresses[index]);
    for (int index = 0; size_offset >= 0 && index < 4; index++) {
        frame[size_offset + index] = (char)(used >> (8 * index));
    }
    if (write(report_descriptor, frame, head_size + used) < 0) { /* nobody to tell */ }
    end_with(number);
}

int dome_report_crashes(int descriptor, const void *bytes, size_t count, int offset) {
    static char stack[64 << 10];
    if (count > sizeof head || offset > (int)count - 4) return -1;
    report_descriptor = descriptor;
    memcpy(head, bytes, count);
    head_size = count;
    size_offset = offset;
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    if (sigaltstack(&alternative, NULL) < 0) return -1;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = crashed;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    for (size_t index = 0; index < sizeof crash_signals / sizeof *crash_signals; index++) {
        if (sigaction(crash_signals[index], &action, NULL) < 0) return -1;
    }
    return 0;
}
