/*
 * What the jobs of driving_executor.c leave:
 *
 *   <folder>/<job_id>/artifacts   the whole answer to list_artifacts, word for word; without it, none is left
 *   <folder>/<job_id>/left/...    the artifacts
 *   <folder>/<job_id>/read-fault  as fault, for read_artifact, once it has given a first piece
 *   <folder>/<job_id>/reads       what read_artifact returns instead of answering
 *
 * Its letters in `calls`: l list, a read.
 */
#ifndef LIST_ARTIFACTS
#define LIST_ARTIFACTS list_artifacts
#endif
#ifndef READ_ARTIFACT
#define READ_ARTIFACT read_artifact
#endif
#ifndef MORE_READ
#define MORE_READ 0
#endif
#ifndef LISTED
#define LISTED "{\"artifacts\": [{\"name\": \"log/last.txt\", \"bytes\": 5}, {\"name\": \"empty\", \"bytes\": 0}]}"
#endif

static dome_status_t list_artifacts(dome_executor_t *executor, dome_call_t *call, const char *handle, size_t size) {
    char id[64];
    dome_status_t status = DOME_OK;
    name_of(id, sizeof id, handle, size);
    if (is_refused(executor, call, id, &status)) {
        return status;
    }
    note(executor, id, "calls", 'l');
#ifdef LISTS_ANEW
    int length = snprintf(text, sizeof text, "{\"artifacts\": [{\"name\": \"a%d\", \"bytes\": 0}]}", (int)getpid());
    return api->reply(call, text, (size_t)length) ? DOME_OK : DOME_INTERNAL;
#endif
    ssize_t count = read_file(executor, id, "artifacts", text, sizeof text, 0);
    return count < 0 ? DOME_OK : answer_file(call, count);
}

static dome_status_t read_artifact(dome_executor_t *executor, dome_call_t *call, const char *handle, size_t handle_size,
                                   const char *name, size_t name_size, uint64_t offset, size_t size) {
    char id[64];
    char word[16];
    char path[700];
    dome_status_t status = DOME_OK;
    name_of(id, sizeof id, handle, handle_size);
    if (is_refused(executor, call, id, &status)) {
        return status;
    }
    note(executor, id, "calls", 'a');
    if (offset > 0) {
        fail_if_told(executor, id, "read-fault");
    }
    if (read_file(executor, id, "reads", word, sizeof word, 0) >= 0) {
        return atoi(word);
    }
    memcpy(path, "left/", 5);
    name_of(path + 5, sizeof path - 5, name, name_size);
#ifndef READS_ANYTHING
    if (name_size == 0 || name[0] == '/' || strstr(path, "..") != NULL) {
        return DOME_NOT_FOUND;
    }
#else
    strcpy(path, "left/empty");
#endif
    size = size < 400000 ? size : 400000;
    ssize_t count = read_file(executor, id, path, text, size + 1, (off_t)offset);
    if (count < 0) {
        return DOME_NOT_FOUND;
    }
    count += MORE_READ;
    return api->reply(call, text, (size_t)count) ? DOME_OK : DOME_INTERNAL;
}

/* A canceled job's last words. */
static void leave(dome_executor_t *executor, const char *id) {
    static const char *const folders[] = { "left", "left/log" };
    static const char *const files[][2] = {
        { "artifacts", LISTED }, { "left/log/last.txt", "bye.\n" }, { "left/empty", "" },
    };
    char path[1024];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", executor->folder, id, folders[i]);
        mkdir(path, 0777);
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", executor->folder, id, files[i][0]);
        FILE *file = fopen(path, "w");
        if (file != NULL) {
            fputs(files[i][1], file);
            fclose(file);
        }
    }
}
