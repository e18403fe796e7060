#include "heap.h"

#include "guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// glibc's own, by the names it keeps for allocators like this one.
extern void *__libc_malloc(size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *pointer);

#define LIVE_MAGIC UINT64_C(0xd0e5a11c0a7eb10c)
#define FREED_MAGIC UINT64_C(0xd0e5f4eed0a7eb1c)
#define TAIL_BYTES 16
#define TAIL_FILL 0xa5
#define FREED_FILL 0xdb
#define FILLED_LIMIT ((size_t)64 << 10) // of a freed block: filling a huge one costs more than it shows
#define KEPT_BLOCKS 4096
#define KEPT_BYTES ((size_t)8 << 20)

struct header {
    struct header *next;
    struct header *previous;
    void *raw; // what glibc gave
    size_t size;
    const void *caller; // who allocated it
    uint64_t magic; // last: an underrun meets it first
};

_Static_assert(sizeof(struct header) % 16 == 0, "blocks are aligned to 16 bytes");

static atomic_flag busy = ATOMIC_FLAG_INIT;
static struct header live = { .next = &live, .previous = &live };
static uint64_t live_blocks;
static uint64_t live_bytes;
static struct header *kept[KEPT_BLOCKS];
static size_t kept_first, kept_count, kept_bytes;
static char findings[8192];
static size_t findings_size;

static void lock(void) {
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) sched_yield();
}

static void unlock(void) { atomic_flag_clear_explicit(&busy, memory_order_release); }

// Notes what is wrong; `where` is an address in the code that did it or made the block.
static void finding(const char *what, size_t size, const char *role, const void *where) {
    Dl_info info = { 0 };
    const char *symbol = "code without a name", *file = "";
    if (where != NULL && dladdr(where, &info) != 0) {
        if (info.dli_sname != NULL) symbol = info.dli_sname;
        if (info.dli_fname != NULL) file = info.dli_fname;
    }
    const char *slash = strrchr(file, '/');
    int count = snprintf(findings + findings_size, sizeof(findings) - findings_size, "%s (%zu bytes, %s %s in %s)\n",
                         what, size, role, symbol, slash != NULL ? slash + 1 : file);
    if (count > 0 && findings_size + (size_t)count < sizeof(findings)) {
        findings_size += (size_t)count;
    } else {
        findings[findings_size] = '\0';
    }
}

static bool is_filled(const unsigned char *bytes, size_t size, unsigned char fill) {
    for (size_t index = 0; index < size; index++) {
        if (bytes[index] != fill) return false;
    }
    return true;
}

static bool is_tail_whole(const struct header *block) {
    return is_filled((const unsigned char *)(block + 1) + block->size, TAIL_BYTES, TAIL_FILL);
}

static void check_freed(struct header *block) {
    size_t size = block->size < FILLED_LIMIT ? block->size : FILLED_LIMIT;
    if (block->magic != FREED_MAGIC || !is_filled((const unsigned char *)(block + 1), size, FREED_FILL)) {
        finding("memory was written to after it was freed", block->size, "freed by", block->caller);
        block->magic = FREED_MAGIC;
        memset(block + 1, FREED_FILL, size); // told once
    }
}

// Gives the oldest freed blocks back until the newest has room.
static void keep(struct header *block) {
    while (kept_count == KEPT_BLOCKS || (kept_count > 0 && kept_bytes + block->size > KEPT_BYTES)) {
        struct header *oldest = kept[kept_first];
        kept_first = (kept_first + 1) % KEPT_BLOCKS;
        kept_count--;
        kept_bytes -= oldest->size;
        check_freed(oldest);
        __libc_free(oldest->raw);
    }
    kept[(kept_first + kept_count) % KEPT_BLOCKS] = block;
    kept_count++;
    kept_bytes += block->size;
}

static void *allocate(size_t alignment, size_t size, const void *caller) {
    size_t before = sizeof(struct header);
    // As glibc does with an alignment that is no power of two.
    while ((alignment & (alignment - 1)) != 0) alignment += alignment & -alignment;
    if (alignment > 16) before = (before + alignment - 1) / alignment * alignment;
    if (size > SIZE_MAX / 2 || before > SIZE_MAX / 4) {
        errno = ENOMEM;
        return NULL;
    }
    size_t whole = before + size + TAIL_BYTES;
    char *raw = alignment > 16 ? __libc_memalign(alignment, whole) : __libc_malloc(whole);
    if (raw == NULL) return NULL;
    struct header *block = (struct header *)(raw + before) - 1;
    *block = (struct header){ .raw = raw, .size = size, .caller = caller, .magic = LIVE_MAGIC };
    memset((char *)(block + 1) + size, TAIL_FILL, TAIL_BYTES);
    lock();
    block->next = live.next;
    block->previous = &live;
    live.next->previous = block;
    live.next = block;
    live_blocks++;
    live_bytes += size;
    unlock();
    return block + 1;
}

// The block of a pointer, or NULL when it is not one; then that is noted.
static struct header *block_of(void *pointer, const void *caller) {
    const char *name = NULL, *wrong = NULL;
    if (guard_owner(pointer, &name, &wrong)) {
        char what[160];
        snprintf(what, sizeof(what), "the host's memory was freed: %s", name);
        finding(what, 0, "by", caller);
        return NULL;
    }
    struct header *block = (struct header *)pointer - 1;
    if ((uintptr_t)pointer % 16 == 0 && block->magic == LIVE_MAGIC) return block;
    bool was_freed = (uintptr_t)pointer % 16 == 0 && block->magic == FREED_MAGIC;
    finding(was_freed ? "memory was freed twice" : "a pointer was freed that malloc had not given", 0, "by", caller);
    return NULL;
}

static void release(void *pointer, const void *caller) {
    if (pointer == NULL) return;
    lock();
    struct header *block = block_of(pointer, caller);
    if (block != NULL) {
        if (!is_tail_whole(block)) {
            finding("a block was written past its end", block->size, "allocated by", block->caller);
        }
        block->next->previous = block->previous;
        block->previous->next = block->next;
        live_blocks--;
        live_bytes -= block->size;
        block->magic = FREED_MAGIC;
        block->caller = caller;
        memset(block + 1, FREED_FILL, block->size < FILLED_LIMIT ? block->size : FILLED_LIMIT);
        keep(block);
    }
    unlock();
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size) { return allocate(16, size, CALLER); }

void free(void *pointer) {
    int error = errno; // free(3) leaves it alone
    release(pointer, CALLER);
    errno = error;
}

void *calloc(size_t count, size_t size) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *made = allocate(16, bytes, CALLER);
    return made == NULL ? NULL : memset(made, 0, bytes);
}

void *realloc(void *pointer, size_t size) {
    if (pointer == NULL) return allocate(16, size, CALLER);
    if (size == 0) {
        release(pointer, CALLER);
        return NULL;
    }
    lock();
    struct header *block = block_of(pointer, CALLER);
    size_t old = block == NULL ? 0 : block->size;
    unlock();
    void *made = allocate(16, size, CALLER);
    if (made == NULL || block == NULL) return made;
    memcpy(made, pointer, old < size ? old : size);
    release(pointer, CALLER);
    return made;
}

void *memalign(size_t alignment, size_t size) { return allocate(alignment, size, CALLER); }

void *aligned_alloc(size_t alignment, size_t size) { return allocate(alignment, size, CALLER); }

void *valloc(size_t size) { return allocate(4096, size, CALLER); }

void *pvalloc(size_t size) {
    return allocate(4096, size > SIZE_MAX / 2 ? size : (size + 4095) / 4096 * 4096, CALLER);
}

int posix_memalign(void **pointer, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *made = allocate(alignment, size, CALLER);
    if (made == NULL) return ENOMEM;
    *pointer = made;
    return 0;
}

size_t malloc_usable_size(void *pointer) { return pointer == NULL ? 0 : ((struct header *)pointer - 1)->size; }

uint64_t heap_live_blocks(void) { return live_blocks; }

uint64_t heap_live_bytes(void) { return live_bytes; }

const char *heap_findings(void) {
    lock();
    for (struct header *block = live.next; block != &live; block = block->next) {
        if (block->magic != LIVE_MAGIC) {
            finding("a block was written before its start", block->size, "allocated by", block->caller);
            break; // its links cannot be believed either
        }
        if (!is_tail_whole(block)) {
            finding("a block was written past its end", block->size, "allocated by", block->caller);
            memset((char *)(block + 1) + block->size, TAIL_FILL, TAIL_BYTES);
        }
    }
    for (size_t index = 0; index < kept_count; index++) check_freed(kept[(kept_first + index) % KEPT_BLOCKS]);
    unlock();
    return findings;
}
