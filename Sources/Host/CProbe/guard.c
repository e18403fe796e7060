#include "guard.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define LOAN_LIMIT 256
#define PAGE ((size_t)4096)

struct loan {
    char *base; // NULL: free
    size_t mapped;
    char *lent;
    size_t size;
    const char *name;
    bool is_over;
};

static struct loan loans[LOAN_LIMIT];
static size_t next_loan;

// A free place, or that of the oldest loan that is over.
static struct loan *place(void) {
    for (size_t tried = 0; tried < LOAN_LIMIT; tried++) {
        struct loan *loan = &loans[next_loan];
        next_loan = (next_loan + 1) % LOAN_LIMIT;
        if (loan->base != NULL && !loan->is_over) continue;
        if (loan->base != NULL) munmap(loan->base, loan->mapped);
        *loan = (struct loan){ 0 };
        return loan;
    }
    return NULL;
}

void *guard_lend(const void *bytes, size_t size, const char *name) {
    struct loan *loan = place();
    if (loan == NULL) return NULL;
    size_t pages = (size + PAGE - 1) / PAGE;
    size_t mapped = (pages + 2) * PAGE;
    char *base = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return NULL;
    char *end = base + (pages + 1) * PAGE;
    if (size > 0) {
        if (mprotect(base + PAGE, pages * PAGE, PROT_READ | PROT_WRITE) != 0) return NULL;
        memcpy(end - size, bytes, size);
        mprotect(base + PAGE, pages * PAGE, PROT_READ);
    }
    *loan = (struct loan){ base, mapped, end - size, size, name, false };
    return loan->lent;
}

static struct loan *find(const void *address) {
    uintptr_t wanted = (uintptr_t)address;
    for (size_t index = 0; index < LOAN_LIMIT; index++) {
        uintptr_t base = (uintptr_t)loans[index].base;
        if (base != 0 && wanted >= base && wanted < base + loans[index].mapped) return &loans[index];
    }
    return NULL;
}

void guard_end(void *lent) {
    struct loan *loan = find(lent);
    if (loan == NULL) return;
    loan->is_over = true;
    // The pages' memory goes back; their addresses stay taken.
    madvise(loan->base, loan->mapped, MADV_DONTNEED);
    mprotect(loan->base, loan->mapped, PROT_NONE);
}

void *guard_handle(const char *name) { return guard_lend(NULL, 0, name); }

bool guard_owner(const void *address, const char **name, const char **wrong) {
    struct loan *loan = find(address);
    if (loan == NULL) return false;
    *name = loan->name;
    const char *wanted = address;
    if (loan->size == 0) {
        *wrong = "looked into, and it is opaque";
    } else if (loan->is_over) {
        *wrong = "used after the call that lent it had returned";
    } else if (wanted >= loan->lent + loan->size) {
        *wrong = "read past its end";
    } else if (wanted < loan->lent) {
        *wrong = "read before its start";
    } else {
        *wrong = "written to";
    }
    return true;
}
