#include "frame.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// A growing stretch of memory of our own.
struct store {
    char *data;
    size_t size;
    size_t capacity;
};

static struct store request;
static struct store answer;

static bool reserve(struct store *store, size_t wanted) {
    if (wanted <= store->capacity) return true;
    size_t capacity = store->capacity == 0 ? (size_t)1 << 16 : store->capacity;
    while (capacity < wanted) capacity *= 2;
    char *data = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return false;
    if (store->size > 0) memcpy(data, store->data, store->size);
    if (store->data != NULL) munmap(store->data, store->capacity);
    store->data = data;
    store->capacity = capacity;
    return true;
}

static bool read_whole(int channel, char *data, size_t size) {
    while (size > 0) {
        ssize_t count = recv(channel, data, size, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        data += count;
        size -= (size_t)count;
    }
    return true;
}

static void write_whole(int channel, const char *data, size_t size) {
    while (size > 0) {
        ssize_t count = send(channel, data, size, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) _exit(3); // nobody listens any more
        data += count;
        size -= (size_t)count;
    }
}

static size_t length_at(const char *data) {
    uint32_t length = 0;
    memcpy(&length, data, sizeof(length));
    return length;
}

bool frame_read(int channel, struct frame *frame) {
    char head[4];
    if (!read_whole(channel, head, sizeof(head))) return false;
    size_t size = length_at(head);
    if (size == 0 || size > FRAME_LIMIT || !reserve(&request, size)) return false;
    if (!read_whole(channel, request.data, size)) return false;
    *frame = (struct frame){ .letter = request.data[0] };
    for (size_t at = 1; at < size;) {
        if (frame->count == FIELD_LIMIT || size - at < 4) return false;
        size_t length = length_at(request.data + at);
        at += 4;
        if (length > size - at) return false;
        frame->fields[frame->count++] = (struct field){ request.data + at, length };
        at += length;
    }
    return true;
}

struct field frame_field(const struct frame *frame, size_t index) {
    return index < frame->count ? frame->fields[index] : (struct field){ "", 0 };
}

uint64_t frame_number(const struct frame *frame, size_t index) {
    uint64_t number = 0;
    struct field field = frame_field(frame, index);
    if (field.size == sizeof(number)) memcpy(&number, field.data, sizeof(number));
    return number;
}

void answer_begin(char letter) {
    answer.size = 0;
    if (!reserve(&answer, 5)) _exit(3);
    answer.data[4] = letter;
    answer.size = 5;
}

void answer_bytes(const void *data, size_t size) {
    if (size > UINT32_MAX || !reserve(&answer, answer.size + 4 + size)) _exit(3);
    uint32_t length = (uint32_t)size;
    memcpy(answer.data + answer.size, &length, sizeof(length));
    if (size > 0) memcpy(answer.data + answer.size + 4, data, size);
    answer.size += 4 + size;
}

void answer_text(const char *text) { answer_bytes(text, strlen(text)); }

void answer_number(uint64_t number) { answer_bytes(&number, sizeof(number)); }

void answer_send(int channel) {
    uint32_t length = (uint32_t)(answer.size - 4);
    memcpy(answer.data, &length, sizeof(length));
    write_whole(channel, answer.data, answer.size);
}

void note_send(int channel, char letter, const char *text) {
    char bytes[1024];
    size_t size = strlen(text);
    if (size > sizeof(bytes) - 9) size = sizeof(bytes) - 9;
    uint32_t lengths[2] = { (uint32_t)(size + 5), (uint32_t)size };
    memcpy(bytes, &lengths[0], 4);
    bytes[4] = letter;
    memcpy(bytes + 5, &lengths[1], 4);
    memcpy(bytes + 9, text, size);
    write_whole(channel, bytes, size + 9);
}
